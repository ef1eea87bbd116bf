// What the checker cannot know of a page: elements are found by selectors, so their kind is not told.
interface Element {
  [name: string]: any
}
interface EventTarget {
  [name: string]: any
}
interface Event {
  [name: string]: any
}
interface Window {
  [name: string]: any
}
