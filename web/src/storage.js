// What a visit leaves for the next one: how the page looks. Not what was typed, and so no token, whichever pane it
// was typed into.

const KEPT = ['theme', 'visiblePlugin', 'docExplorerFlex', 'editorFlex', 'secondaryEditorFlex'].map(
  (name) => `graphiql:${name}`,
);

export const storage = {
  getItem: (key) => (KEPT.includes(key) ? localStorage.getItem(key) : null),
  setItem: (key, value) => { if (KEPT.includes(key)) localStorage.setItem(key, value); },
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => KEPT.forEach((key) => localStorage.removeItem(key)),
  get length() { return KEPT.filter((key) => localStorage.getItem(key) !== null).length; },
};
