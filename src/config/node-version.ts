/** The oldest version of Node.js that the AWS SDK supports from January 2027 on. */
const oldestMajor = 22;

const sdkSwitch = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/**
 * Returns one line about a Node.js that the AWS SDK will not support, and turns off the SDK's own eight
 * lines. Returns it once in a process, and never if the user has set the SDK's switch. Call it before
 * the SDK creates a client.
 */
export function replaceSdkWarning(version: string): string | undefined {
  const major = Number.parseInt(version.replace(/^v/, ''), 10);
  if (major >= oldestMajor || process.env[sdkSwitch] === 'true') return undefined;
  process.env[sdkSwitch] = 'true';
  return `from January 2027 the AWS SDK needs Node.js ${oldestMajor} or newer, found ${version}: upgrade Node.js`;
}
