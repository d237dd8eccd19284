/** Files of launch-templates/ that are no launch configurations of an editor, and the test that looks at each. */
export const checkedElsewhere: Readonly<Record<string, string>> = {
  'sublime/KubernetesLocal/kubernetes_local.py': 'test/clients/sublime-plugin.ts',
  'sublime/KubernetesLocal/.python-version': 'test/clients/sublime-plugin.ts',
  'zed/extension/Cargo.toml': 'test/templates/zed.test.ts',
  'zed/extension/extension.toml': 'test/templates/zed.test.ts',
  'zed/extension/src/lib.rs': 'test/templates/zed.test.ts',
  'zed/extension/debug_adapter_schemas/kubernetes-local.json': 'test/templates/zed.test.ts',
  'msbuild/KubernetesLocal.props': 'test/templates/visual-studio.test.ts',
  'msbuild/KubernetesLocal.targets': 'test/templates/visual-studio.test.ts',
  'msbuild/KubernetesLocal.Run.targets': 'test/templates/visual-studio.test.ts',
  'msbuild/KubernetesLocal.Sdk.targets': 'test/templates/visual-studio.test.ts',
  'visual-studio/kubernetes-local.launch.json': 'test/templates/visual-studio.test.ts',
  'visual-studio/launch.vs.json': 'test/templates/visual-studio.test.ts',
  'visual-studio/launchSettings.json': 'test/templates/visual-studio.test.ts',
  'visual-studio/kubernetes-local.pkgdef': 'test/templates/visual-studio.test.ts',
};
