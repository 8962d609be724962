#!/bin/sh
# A pretend sensor on a city street: one JSON line a second, and a page with the latest values.
port=${STATUS_PORT:-8080}
www=/tmp/www
temperature=215 # tenths of a degree
noise=580       # tenths of a decibel

trap 'kill $(jobs -p) 2>/dev/null; exit 0' TERM INT
mkdir -p "$www"
httpd -f -p "127.0.0.1:$port" -h "$www" &

while true; do
  temperature=$((temperature + RANDOM % 5 - 2))
  noise=$((noise + RANDOM % 41 - 20 + (580 - noise) / 10))
  values="\"temperature\": $((temperature / 10)).$((temperature % 10)), \"noise\": $((noise / 10)).$((noise % 10))"
  line="{\"sensor\": \"city-sensor\", \"time\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\", $values}"
  echo "$line"
  cat > "$www/index.html.new" <<PAGE
<!doctype html><meta http-equiv="refresh" content="1"><title>city-sensor</title>
<h1>city-sensor</h1><p>$((temperature / 10)).$((temperature % 10)) &deg;C, $((noise / 10)).$((noise % 10)) dB</p>
<pre>$line</pre>
PAGE
  mv "$www/index.html.new" "$www/index.html"
  # An interruptible wait: the shell is process 1, and must answer the stop signal at once.
  sleep 1 &
  wait $!
done
