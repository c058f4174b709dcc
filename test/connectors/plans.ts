// The vendors' stand-in plans, by the id of their connector: whatever is in the folder.
import { readdirSync } from 'node:fs'
import type { VendorPlan } from './vendor-stand-in.ts'

export async function vendorPlans(): Promise<ReadonlyMap<string, VendorPlan>> {
  const plans = new Map<string, VendorPlan>()
  for (const file of readdirSync(new URL('./vendors', import.meta.url))) {
    const { default: plan } = (await import(`./vendors/${file.replace(/\.ts$/, '')}.ts`)) as {
      default: VendorPlan
    }
    plans.set(plan.id, plan)
  }
  return plans
}
