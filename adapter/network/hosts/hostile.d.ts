declare module 'hostile' {
  const hostile: {
    /** Without a callback it reads at once and throws; with one, a missing file ends the process by an unhandled error. */
    getFile(path: string, preserveFormatting: boolean): unknown;
  };
  export default hostile;
}
