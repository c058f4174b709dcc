// Agenda as a tool: a clock and a doorbell. Jobs carry no data but what to look at; losing one loses nothing.

/** What a ring says: look for due work of this kind now. */
export type Bell = 'sync' | 'removal' | 'deliver'
/** Ring after a commit; never throws, never waits: a lost ring costs a sweep's interval. */
export type Ring = (bell: Bell) => void
