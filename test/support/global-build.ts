// The built app, for suites that start it as processes of their own.
import { execFileSync } from 'node:child_process'

export default function setup() {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'pipe' })
}
