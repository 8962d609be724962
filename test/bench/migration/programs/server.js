// Answers over HTTP from some tens of megabytes of its own. usage: server [PORT]
const { createServer } = require('node:http');
const { randomBytes } = require('node:crypto');

const held = Array.from({ length: 20 }, () => randomBytes(1 << 20));
let answered = 0;
createServer((_request, response) => {
  answered += 1;
  response.end(`${answered} ${held[answered % held.length][0]}\n`);
}).listen(Number(process.argv[2] ?? 8080), () => console.log('ready'));
