// PageMistake: a request that the sandbox's page should not have made; its message goes back to the page.

export class PageMistake extends Error {}
