// Numbers as words.
export const words = (count) => (count === 1 ? "one note" : `${count} notes`);
