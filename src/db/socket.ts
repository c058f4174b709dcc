// The socket to Postgres, with the limits that postgres.js lacks and around two ways in which a lost connection harms it.
import { connect, type Socket } from 'node:net'

const connectMs = 10_000
const keepAliveMs = 30_000
/** How long `close` is held back: a transaction that just failed writes its rollback within this time. */
const closeAfterMs = 100

/**
 * A socket that is still connecting: postgres.js takes an error that it hears from a socket for a closed connection, and one
 * that it gets instead of a socket costs it a place in the pool for ever. After `quietMaxMs` without a byte it is half-open,
 * and destroyed: postgres.js has no limit of its own for a query.
 */
export function openSocket(address: URL, quietMaxMs: number): Socket {
  const socket = connect({ host: address.hostname, port: Number(address.port || 5432) })
  // postgres.js leaves Nagle's algorithm on, which made COPY four times slower when measured.
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveMs)
  socket.setTimeout(connectMs, () => socket.destroy(lost('Postgres did not answer in time')))
  socket.once('connect', () => socket.setTimeout(quietMaxMs))
  closeLate(socket)
  return socket
}

/**
 * At `close`, postgres.js 3.4.9 forgets its socket, and a transaction that hears of it there writes its rollback to nothing,
 * which ends the process (porsager/postgres, issue 1208). So what waits for an answer hears an error first, and `close`
 * comes when the rollback was written.
 */
function closeLate(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean
  let failed = false
  socket.emit = (event: string, ...args: unknown[]): boolean => {
    if (event === 'error') failed = true
    // Without this listener postgres.js has ended it itself, and nothing waits.
    if (event !== 'close' || socket.listenerCount('data') === 0) return emit(event, ...args)
    if (!failed) emit('error', lost('The connection to Postgres was lost'))
    setTimeout(() => emit(event, false), closeAfterMs)
    return true
  }
}

function lost(message: string): Error {
  return Object.assign(new Error(message), { code: 'CONNECTION_CLOSED' })
}
