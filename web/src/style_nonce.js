// The Content-Security-Policy lets in style elements with the nonce of this response only. The editor makes
// such elements without knowing of it.

const nonce = document.querySelector('meta[name="style-nonce"]').content;
const createElement = document.createElement.bind(document);

document.createElement = (name, options) => {
  const element = createElement(name, options);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
};
