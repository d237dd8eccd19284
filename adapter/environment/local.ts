/** What of the pod's environment the program on this computer gets, and what stays the computer's own. */
import type { EnvironmentVariable } from './environment.ts';

/**
 * Variables that say where things are on a computer, or load code from there: with the pod's values the program, its
 * runtime or its debugger would not start. Compared without case on Windows.
 */
const ofTheComputer: ReadonlySet<string> = new Set([
  // system and user
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'PWD', 'OLDPWD', 'SHLVL', 'TERM', 'COLORTERM', 'DISPLAY'],
  ...['WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'SSH_AUTH_SOCK', 'EDITOR', 'PAGER'],
  ...['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR', 'XDG_STATE_HOME'],
  ...['TMPDIR', 'TMP', 'TEMP'],
  // Windows
  ...['APPDATA', 'COMSPEC', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'OS', 'PATHEXT', 'PROGRAMDATA', 'PROGRAMFILES'],
  ...['PROGRAMFILES(X86)', 'PROGRAMW6432', 'SYSTEMDRIVE', 'SYSTEMROOT', 'USERNAME', 'USERPROFILE', 'WINDIR'],
  // loaders
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_INSERT_LIBRARIES', 'DYLD_LIBRARY_PATH'],
  // runtimes and their tools
  ...['PYTHONHOME', 'PYTHONPATH', 'PYTHONUSERBASE', 'VIRTUAL_ENV', 'CONDA_PREFIX'],
  ...['NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'NPM_CONFIG_PREFIX', 'NVM_DIR'],
  ...['JAVA_HOME', 'CLASSPATH', 'JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS', 'M2_HOME', 'MAVEN_HOME'],
  ...['GOPATH', 'GOROOT', 'GOCACHE', 'GOMODCACHE', 'GOBIN', 'CARGO_HOME', 'RUSTUP_HOME'],
  ...['DOTNET_ROOT', 'DOTNET_STARTUP_HOOKS', 'DOTNET_EnableDiagnostics', 'CORECLR_PROFILER_PATH', 'NUGET_PACKAGES'],
  ...['GEM_HOME', 'GEM_PATH', 'BUNDLE_PATH', 'BUNDLE_APP_CONFIG', 'RUBYLIB', 'PERL5LIB', 'PHPRC', 'PHP_INI_SCAN_DIR'],
  // certificates as files
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'],
]);

/** The variables to add to the program's own environment. */
export interface LocalEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  /** The pod's among them, with their origins. */
  readonly variables: readonly EnvironmentVariable[];
  /** Names of variables that the pod sets to something else and that stay as they are on this computer. */
  readonly kept: readonly string[];
}

/**
 * The pod's value wins, but for the short list of variables that say where things are on a computer.
 * @param workstation the environment of this computer, normally process.env.
 * @param extra kubernetes-local's own variables (KUBERNETES_LOCAL_…), which win over both.
 */
export function localEnvironment(
  variables: readonly EnvironmentVariable[],
  workstation: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>> = {},
  platform: NodeJS.Platform = process.platform,
): LocalEnvironment {
  const isOfTheComputer = (name: string) =>
    platform === 'win32' ? windowsNames.has(name.toUpperCase()) : ofTheComputer.has(name);
  const given = variables.filter(({ name }) => !isOfTheComputer(name));
  return {
    variables: given,
    environment: { ...Object.fromEntries(given.map(({ name, value }) => [name, value])), ...extra },
    kept: variables
      .filter(({ name, value }) => isOfTheComputer(name) && workstation[name] !== value)
      .map(({ name }) => name),
  };
}

const windowsNames: ReadonlySet<string> = new Set([...ofTheComputer].map((name) => name.toUpperCase()));
