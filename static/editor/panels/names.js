// What the parts of a cell are called.
import { say } from "../words.js"

/** By type: [property, name] of what is on or off. */
export const flags = () => ({
  process: [["is_web_application", say("Web application")], ["handles_card_payment", say("Handles card payment")], ["handles_goods_or_services", say("Handles goods or services")]],
  datastore: [["is_encrypted", say("Encrypted")], ["is_signed", say("Signed")], ["is_a_log", say("Is a log")], ["stores_credentials", say("Stores credentials")], ["stores_inventory", say("Stores inventory")]],
  external_entity: [["provides_authentication", say("Provides authentication")]],
  data_flow: [["is_encrypted", say("Encrypted")], ["is_public_network", say("Crosses a public network")]],
})

/** By type: [property, name] of what is a line of text. */
export const words = () => ({
  process: [["privilege_level", say("Privilege level")]],
  data_flow: [["protocol", say("Protocol")]],
})

/** Of a key of a cell or of its properties; people's own properties are called what they are called. */
export function titleOf(name) {
  /** @type {any[]} */
  const known = [
    ["label", say("Name")], ["description", say("Description")], ["out_of_scope", say("Out of scope")], ["out_of_scope_reason", say("Reason")],
    ["type", say("Type")], ["parent", say("Boundary around it")], ["position", say("Place")], ["size", say("Size")], ["z", say("Order")], ["style", say("Style")],
    ["source", say("From")], ["target", say("To")], ["vertices", say("Bends")], ["bidirectional", say("Both ways")], ["line", say("Line")],
    ["locked", say("Locked")], ["data_asset_ids", say("Assets")], ...Object.values(flags()).flat(), ...Object.values(words()).flat(),
  ]
  return new Map(known).get(name) ?? name
}
