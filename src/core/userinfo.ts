// User and password in an address (`https://anna:secret@host/`): what is said about an address to people holds neither, well written or not.

/** The text with `…` for what stands before the `@` of each address in it, as far as blanks and quotes let it be seen where one ends. */
export function withoutUserinfo(text: string): string {
  return text.replace(/\/\/[^\s"'<>`]*@/g, '//…@').replace(/(?<![^\s"'<>`=(,])[^\s"'<>`/@:]+:(?!\/\/)[^\s"'<>`@]*@/g, '…@');
}

/** The same of a text that is one address and nothing else, whatever characters its password has. */
export function addressWithoutUserinfo(address: string): string {
  return address.replace(/\/\/[^]*@/, '//…@').replace(/^[^/@:\s]+:(?!\/\/)[^]*@/, '…@');
}
