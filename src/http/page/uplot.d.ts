// The daemon serves the package's ES module under this name, because a browser cannot resolve
// 'uplot'.
export { default } from 'uplot';
