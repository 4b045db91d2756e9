/** What takes back what a killed run left of a stack. */
export function recoverCommand(stack: string): string {
  return stack === "local" ? "npm run pgw -- recover" : `npm run pgw -- recover --stack ${stack}`;
}
