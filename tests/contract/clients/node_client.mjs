// Everything that a Node library of the Segment family can say, then its errors as JSON.
// `node node_client.mjs segment|rudder BASE KEY WORD`, run in the folder that has node_modules.
import { createRequire } from 'node:module'

const [which, base, key, word] = process.argv.slice(2)
const require = createRequire(`${process.cwd()}/`)
const errors = []
const user = { userId: `${word}-user`, anonymousId: `${word}-visitor` }
const visitor = { anonymousId: `${word}-visitor` }
const traits = {
  email: `${word}@example.com`,
  phone: '+380501112233',
  firstName: 'Alice',
  lastName: 'Archer',
  birthday: '1990-05-17',
}
const earlier = new Date(Date.now() - 2 * 86400 * 1000)

function say(analytics) {
  analytics.page({ ...visitor, category: 'Shop', name: 'Home', properties: { url: 'u' } })
  analytics.track({ ...visitor, event: 'Product Viewed', properties: { sku: 'P-1' } })
  analytics.identify({ ...user, traits })
  const order = { userId: user.userId, event: 'Order Completed', properties: { total: 12.5 } }
  analytics.track(which === 'segment' ? { ...order, timestamp: earlier } : { ...order, originalTimestamp: earlier })
  analytics.screen({ userId: user.userId, name: 'Cart' })
  analytics.group({ userId: user.userId, groupId: `${word}-group`, traits: { name: 'Shop & Co' } })
  analytics.alias({ previousId: `${word}-other-visitor`, userId: user.userId })
}

if (which === 'segment') {
  const { Analytics } = require('@segment/analytics-node')
  const analytics = new Analytics({ writeKey: key, host: base, maxRetries: 2 })
  analytics.on('error', (error) => errors.push(String(error.reason ?? error.code)))
  say(analytics)
  await analytics.closeAndFlush()
} else {
  const module = require('@rudderstack/rudder-sdk-node')
  const Rudder = module.default ?? module
  const rudder = new Rudder(key, { dataPlaneUrl: base, flushAt: 20, flushInterval: 60000 })
  process.on('unhandledRejection', (error) => errors.push(String(error)))
  say(rudder)
  await new Promise((resolve) => rudder.flush(resolve))
}
console.log(JSON.stringify(errors))
process.exit(0)
