// Who may import whom. Each rule's comment says why, and what to do instead. Run by test/tidy/imports.mjs.
const rooms = {
  chat: [
    'sync',
    'announce',
    'accounts',
    'recipients',
    'audit',
    'instances',
    'connectors',
    'slack',
    'jobs',
    'db',
    'lib',
  ],
  sync: ['announce', 'accounts', 'recipients', 'audit', 'instances', 'connectors', 'jobs', 'db', 'lib'],
  announce: ['recipients', 'audit', 'instances', 'slack', 'jobs', 'db', 'lib'],
  accounts: ['instances', 'connectors', 'db', 'lib'],
  privacy: ['sync', 'announce', 'accounts', 'recipients', 'audit', 'instances', 'db', 'lib'],
  recipients: ['instances', 'db', 'lib'],
  audit: ['instances', 'db', 'lib'],
  instances: ['connectors', 'db', 'lib'],
  connectors: ['lib'],
  slack: ['lib'],
  jobs: ['lib'],
  db: ['lib'],
  sandbox: ['connectors', 'slack', 'db', 'lib'],
  lib: [],
}

const downhill = Object.entries(rooms).map(([room, below]) => ({
  name: `downhill-${room}`,
  comment: `${room} may import ${below.join(', ') || 'nothing'}: imports run downhill. Move the thing down, or hand it in.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
}))

const only = (name, packages, where, why) => ({
  name,
  comment: why,
  severity: 'error',
  from: { path: '^src/', pathNot: where },
  to: { path: `(^|/)node_modules/(${packages})(/|$)` },
})

module.exports = {
  forbidden: [
    ...downhill,
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one noun or lack a third: split or join them.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nobody-imports-the-top',
      comment: 'main, app and env are the top: settings and rooms are handed down as arguments.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main|app)[.]ts$' },
      to: { path: '^src/(main|app|env)[.]ts$' },
    },
    {
      name: 'sandbox-only-from-main',
      comment: 'The sandbox is outside the app: only main starts it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main[.]ts|sandbox/)' },
      to: { path: '^src/sandbox/' },
    },
    {
      name: 'vendors-are-strangers',
      comment: 'A connector knows one vendor; what two share belongs beside engine.ts.',
      severity: 'error',
      from: { path: '^src/connectors/([^/]+)/' },
      to: { path: '^src/connectors/[^/]+/', pathNot: '^src/connectors/$1/' },
    },
    {
      name: 'tables-stay-home',
      comment:
        'A table is read by its own room, and by another table.ts for a foreign key: ask the room for what you need.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: 'table[.]ts$' },
      to: { path: '^src/[^/]+/table[.]ts$', pathNot: '^src/$1/' },
    },
    only(
      'agenda-in-jobs',
      'agenda|@agendajs|pg|mongodb',
      '^src/jobs/',
      'Agenda is a tool of jobs: ring and define there.',
    ),
    only(
      'slack-in-slack',
      '@slack',
      '^src/(slack|sandbox)/',
      'Slack is a tool of the slack room: gestures use its turns and builders.',
    ),
    only(
      'postgres-in-db',
      'postgres',
      '^src/(db/|accounts/stage)',
      'postgres.js is opened in db; COPY is accounts/stage only.',
    ),
    only(
      'resend-in-announce',
      'resend|@react-email|react',
      '^src/announce/',
      'E-mail is made and sent in announce.',
    ),
    only(
      'undici-in-http',
      'undici|ipaddr.js',
      '^src/connectors/http',
      'Connectors have one HTTP client with the address guard.',
    ),
    {
      name: 'connectors-have-no-network',
      comment:
        'A connector is a declaration: of Node it may use crypto (to sign) and nothing that reaches a network, a file or a process. Ask through http.ts.',
      severity: 'error',
      from: { path: '^src/connectors/', pathNot: '^src/connectors/http(-(guard|exchange|body))?[.]ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'connectors-have-few-packages',
      comment:
        'A connector parses with zod, files and paths with what only parses; another package could ask a vendor past the one HTTP client.',
      severity: 'error',
      from: { path: '^src/connectors/', pathNot: '^src/connectors/http(-(guard|exchange|body))?[.]ts$' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(zod|csv-parse|jsonpath-rfc9535)/' },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: { path: '^src/sandbox/page/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}
