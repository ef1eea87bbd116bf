// The token that the server wants with every change. A sign-in makes a new one, also a sign-in in another tab.
const meta = () => document.querySelector('meta[name="csrf-token"]')

/** Somebody else has signed in in this browser since the page was loaded. */
export class SomebodyElse extends Error {}

/** `fetch` with the token; with the new one where it is refused, unless that is not `person`'s any more. */
export async function send(url, options, person) {
  const ask = () => fetch(url, { ...options, headers: { ...options.headers, "X-CSRFToken": meta().content } })
  const answer = await ask()
  return answer.status === 403 && (await renew(person)) ? ask() : answer
}

/** Whether there is a new token for the same person. */
async function renew(person) {
  const answer = await fetch("/tools/token", { redirect: "manual" })
  if (!answer.ok) return false
  const { token, person_id } = await answer.json()
  if (person_id !== person) throw new SomebodyElse()
  meta().content = token
  for (const input of document.querySelectorAll('input[name="csrfmiddlewaretoken"]')) input.value = token
  return true
}
