import type { LangDict } from './default'

// English only, so far.
export default {} satisfies Record<string, LangDict>
