/**
 * What differs from system to system, as data: where the hosts file is, which programs remember names, how an address of
 * 127.0.0.0/8 comes to life, and what can ask the user for privileges. Only Linux is tried; macOS and Windows are from
 * their vendors' documentation.
 */
import { win32 } from 'node:path';

/** A program and its arguments; no shell is ever between. */
export type Command = readonly [program: string, ...args: string[]];

/** Loopback addresses as additions to an interface, where they do not all exist by themselves. */
interface AliasCommands {
  /** Prints the interface with its addresses, one `inet ADDRESS …` a line. */
  readonly list: Command;
  add(address: string): Command;
  remove(address: string): Command;
}

export interface PlatformCommands {
  readonly hostsFile: string;
  /** Each makes one program forget the names it remembers. Which of them exist differs from computer to computer. */
  readonly flushNames: readonly Command[];
  /** Undefined where all of 127.0.0.0/8 is there without further ado (Linux, Windows). */
  readonly aliases: AliasCommands | undefined;
  /** Programs of which one has to be there for a graphical question; empty where the system itself asks. */
  readonly graphicalPrompts: readonly string[];
  /** Environment variables of which one tells that there is a display; empty where nothing does. */
  readonly displayVariables: readonly string[];
}

/** The commands of one system; another system than these three is taken for a Linux. */
export function platformCommands(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): PlatformCommands {
  if (platform === 'darwin') return darwin;
  if (platform === 'win32') return windows(environment.SystemRoot ?? 'C:\\Windows');
  return linux;
}

const linux: PlatformCommands = {
  hostsFile: '/etc/hosts',
  flushNames: [
    ['resolvectl', 'flush-caches'],
    ['nscd', '-i', 'hosts'],
  ],
  aliases: undefined,
  // sudo-prompt knows these two by their full paths.
  graphicalPrompts: ['/usr/bin/kdesudo', '/usr/bin/pkexec'],
  displayVariables: ['DISPLAY', 'WAYLAND_DISPLAY'],
};

/** Full paths, for root may have any PATH. */
const darwin: PlatformCommands = {
  hostsFile: '/etc/hosts',
  flushNames: [
    ['/usr/bin/dscacheutil', '-flushcache'],
    ['/usr/bin/killall', '-HUP', 'mDNSResponder'],
  ],
  aliases: {
    list: ['/sbin/ifconfig', 'lo0'],
    add: (address) => ['/sbin/ifconfig', 'lo0', 'alias', address, 'up'],
    remove: (address) => ['/sbin/ifconfig', 'lo0', '-alias', address],
  },
  graphicalPrompts: [],
  displayVariables: [],
};

function windows(root: string): PlatformCommands {
  const system = win32.join(root, 'System32');
  return {
    hostsFile: win32.join(system, 'drivers', 'etc', 'hosts'),
    flushNames: [[win32.join(system, 'ipconfig.exe'), '/flushdns']],
    aliases: undefined,
    graphicalPrompts: [],
    displayVariables: [],
  };
}

/** Where this system keeps its hosts file. */
export function systemHostsFile(): string {
  return platformCommands().hostsFile;
}
