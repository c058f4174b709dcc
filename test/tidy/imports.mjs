// Runs the import rules over src, and fails when the tool saw fewer modules than there are files (a blind check passes).
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs')

/** Cruise `folders` (below `baseDir`) by the house's rules; returns the violations and how many of our own modules were seen. */
export async function cruiseHouse(folders, baseDir = process.cwd()) {
  const { output } = await cruise(
    folders,
    {
      ...config.options,
      baseDir,
      ruleSet: { forbidden: config.forbidden },
      validate: true,
      outputType: 'json',
    },
    null,
    { tsConfig: extractTSConfig('tsconfig.json') },
  )
  const { modules, summary } = JSON.parse(output)
  return {
    violations: summary.violations,
    seen: modules.filter(module => module.source.startsWith('src/')).length,
  }
}

if (process.argv[1]?.endsWith('imports.mjs')) {
  const files = readdirSync('src', { recursive: true }).filter(
    name => /\.tsx?$/.test(name) && !name.startsWith('sandbox/page/'),
  ).length
  const { violations, seen } = await cruiseHouse(['src'])
  for (const { from, to, rule } of violations) {
    const { comment } = config.forbidden.find(one => one.name === rule.name)
    console.error(`${from} -> ${to}: ${rule.name}. ${comment}`)
  }
  if (seen < files) console.error(`Only ${seen} of ${files} files were seen: the check is blind.`)
  console.log(`import rules: ${violations.length} violations in ${seen} modules`)
  process.exit(violations.length > 0 || seen < files ? 1 : 0)
}
