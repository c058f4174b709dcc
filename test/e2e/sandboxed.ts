// The built sandbox as a process of its own and a Chromium page on it, for the browser tests.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'

export interface Sandboxed {
  readonly url: string
  readonly page: Page
  /** Another page of the same browser. */
  open(options: { width: number; height: number; dark?: boolean }): Promise<Page>
  /** Save what is seen as screenshots/NAME.png, for people to look at. */
  shoot(name: string, page?: Page): Promise<void>
  stop(): Promise<void>
}

const main = resolve('dist/main.js')
const startMs = 60_000
// Without these, Chromium asks hosts of its own for updates, which a closed machine refuses.
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Build and start the sandbox in an empty folder, and open its page. */
export async function startSandboxed(): Promise<Sandboxed> {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'pipe' })
  const folder = mkdtempSync(join(tmpdir(), 'saasm-page-'))
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, PORT: '0' },
  })
  const url = await addressOf(child)
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: quiet })
  const page = await opened(browser, url, { width: 1200, height: 900 })
  mkdirSync('screenshots', { recursive: true })
  return {
    url,
    page,
    open: options => opened(browser, url, options),
    async shoot(name, of = page) {
      await of.screenshot({ path: `screenshots/${name}.png` })
    },
    async stop() {
      await browser.close()
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function opened(
  browser: Browser,
  url: string,
  options: { width: number; height: number; dark?: boolean },
): Promise<Page> {
  const page = await browser.newPage({
    viewport: { width: options.width, height: options.height },
    colorScheme: options.dark ? 'dark' : 'light',
  })
  page.setDefaultTimeout(15_000)
  await page.goto(url)
  await page.locator('.composer input').waitFor()
  return page
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((found, refuse) => {
    let printed = ''
    const timer = setTimeout(
      () => refuse(new Error(`The sandbox did not start in ${startMs} ms:\n${printed}`)),
      startMs,
    )
    const hear = (chunk: unknown) => {
      printed += String(chunk)
      const url = /open (http:\/\/\S+)/.exec(printed)?.[1]
      if (!url) return
      clearTimeout(timer)
      found(url)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('exit', code => refuse(new Error(`The sandbox ended with ${code}:\n${printed}`)))
  })
}
