// nodemailer's pool as its manual shows it for bulk mail: `node send.mjs PORT CONNECTIONS MESSAGES
// TEXT HTML` prints how many were accepted and in how many seconds.
import { readFileSync } from 'node:fs'
import nodemailer from 'nodemailer'

const [port, connections, messages] = process.argv.slice(2, 5).map(Number)
const [text, html] = process.argv.slice(5).map((path) => readFileSync(path, 'utf8'))

const transport = nodemailer.createTransport({
  pool: true, host: '127.0.0.1', port, secure: false, ignoreTLS: true,
  maxConnections: connections, maxMessages: Infinity,
})

function mail(number) {
  const address = `reader${String(number).padStart(7, '0')}@example.org`
  const unsubscribe = `https://bench.example.org/unsubscribe/${String(number).padStart(59, '0')}`
  const fill = (part) => part.replaceAll('@ADDRESS@', address).replaceAll('@UNSUBSCRIBE@', unsubscribe)
  return {
    from: 'Bench Notes <notes@bench.example.org>',
    to: `Reader ${number} <${address}>`,
    subject: 'The first',
    text: fill(text),
    html: fill(html),
    headers: {
      'List-Id': 'Bench Notes <bench.example.org>',
      'List-Unsubscribe': `<${unsubscribe}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'Archived-At': '<https://bench.example.org/first/>',
    },
  }
}

let next = 0
let accepted = 0
const start = performance.now()
// Each waits for its last mail before it makes the next; twice as many as connections, so that
// the pool always has one waiting.
async function lane() {
  while (next < messages) {
    const sent = await transport.sendMail(mail(next++))
    accepted += sent.accepted.length
  }
}
await Promise.all(Array.from({ length: 2 * connections }, lane))
const seconds = (performance.now() - start) / 1000
transport.close()
console.log(JSON.stringify({ accepted, seconds }))
