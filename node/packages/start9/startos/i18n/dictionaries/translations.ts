import type { LangDict } from './default'

// English alone, so far.
export default {} satisfies Record<string, LangDict>
