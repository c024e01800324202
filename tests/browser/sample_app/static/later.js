// What is loaded once it is needed.
export const said = (text) => `By now: ${text}`;
