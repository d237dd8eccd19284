"""kubernetes-local as a debug adapter of the package Debugger: copy the folder of this file into Sublime's Packages folder."""

import shutil

import sublime

# Packages are loaded in any order; Debugger may come after this one.
ATTEMPTS = 40
INTERVAL = 500


def plugin_loaded(attempt=1):
    try:
        from Debugger.modules import dap
    except ImportError:
        if attempt < ATTEMPTS:
            sublime.set_timeout(lambda: plugin_loaded(attempt + 1), INTERVAL)
        else:
            sublime.error_message("kubernetes-local needs the package Debugger. Install it with Package Control.")
        return
    register(dap)


def register(dap):
    # Debugger knows a class as soon as it is made.
    class KubernetesLocal(dap.AdapterConfiguration):
        type = "kubernetes-local"

        # Up to version 0.11 a log comes before the configuration.
        async def start(self, *args, configuration=None, **others):
            if configuration is None:
                configuration = args[-1]
            return dap.StdioTransport(command_for(configuration))

    return KubernetesLocal


def command_for(configuration):
    program = shutil.which("kubernetes-local")
    if program is None:
        raise Exception("kubernetes-local is not on the PATH that Sublime Text has.")
    # The real debugger is named here already, so that Sublime Text gets its capabilities.
    delegate = (configuration.get("delegate") or {}).get("type")
    return [program, "dap"] + (["--delegate", delegate] if delegate else [])
