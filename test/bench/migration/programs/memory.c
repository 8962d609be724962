/*
 * Holds random memory and writes over it, page after page, never the same again. It leaves a heartbeat, the time in
 * microseconds, every 5 ms: what is missing there is what a client that polls at this rate would have missed.
 *
 * usage: memory MEBIBYTES BYTES-PER-SECOND FILE
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define BEAT_NS 5000000

static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static void fill(uint64_t *page) {
  for (int word = 0; word < PAGE / 8; word++) page[word] = next();
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(int count, char **words) {
  if (count != 4) return 2;
  size_t pages = (size_t)atol(words[1]) * 256;
  double rate = atof(words[2]) / PAGE / 1e9;
  uint64_t *memory = aligned_alloc(PAGE, pages * PAGE);
  for (size_t page = 0; page < pages; page++) fill(memory + page * PAGE / 8);
  double due = 0;
  size_t place = 0;
  int64_t last = now();
  for (;;) {
    char text[32];
    int length = snprintf(text, sizeof text, "%lld\n", (long long)(now() / 1000));
    int file = open(words[3], O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (write(file, text, length) != length) return 1;
    close(file);
    struct timespec beat = {0, BEAT_NS};
    nanosleep(&beat, NULL);
    int64_t time = now();
    // It does not catch up on what it would have written while it stood still.
    int64_t passed = time - last < 10 * BEAT_NS ? time - last : BEAT_NS;
    for (due += passed * rate; due >= 1; due--) fill(memory + place++ % pages * PAGE / 8);
    last = time;
  }
}
