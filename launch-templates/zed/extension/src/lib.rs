//! kubernetes-local in Zed: says how the debug adapter is started. All else is in .zed/debug.json.
use zed_extension_api::{
    self as zed, DebugAdapterBinary, DebugConfig, DebugScenario, DebugTaskDefinition,
    StartDebuggingRequestArguments, StartDebuggingRequestArgumentsRequest, Worktree, serde_json,
};

struct KubernetesLocal;

impl zed::Extension for KubernetesLocal {
    fn new() -> Self {
        KubernetesLocal
    }

    fn get_dap_binary(
        &mut self,
        adapter_name: String,
        task: DebugTaskDefinition,
        user_provided_path: Option<String>,
        worktree: &Worktree,
    ) -> Result<DebugAdapterBinary, String> {
        let command = user_provided_path
            .or_else(|| worktree.which("kubernetes-local"))
            .ok_or("kubernetes-local is not on the PATH of this project.")?;
        let configuration: serde_json::Value = serde_json::from_str(&task.config)
            .map_err(|error| format!("The configuration is not JSON: {error}"))?;
        let mut arguments = vec!["dap".to_string()];
        // The real debugger is named here already, so that Zed gets its capabilities.
        if let Some(delegate) = configuration["delegate"]["type"].as_str() {
            arguments.extend(["--delegate".to_string(), delegate.to_string()]);
        }
        let request = self.dap_request_kind(adapter_name, configuration)?;
        Ok(DebugAdapterBinary {
            command: Some(command),
            arguments,
            envs: worktree.shell_env(),
            cwd: Some(worktree.root_path()),
            connection: None,
            request_args: StartDebuggingRequestArguments {
                configuration: task.config,
                request,
            },
        })
    }

    fn dap_request_kind(
        &mut self,
        _adapter_name: String,
        _configuration: serde_json::Value,
    ) -> Result<StartDebuggingRequestArgumentsRequest, String> {
        Ok(StartDebuggingRequestArgumentsRequest::Launch)
    }

    fn dap_config_to_scenario(&mut self, _config: DebugConfig) -> Result<DebugScenario, String> {
        Err(
            "Write a configuration with \"target\" and \"delegate\" into .zed/debug.json."
                .to_string(),
        )
    }
}

zed::register_extension!(KubernetesLocal);
