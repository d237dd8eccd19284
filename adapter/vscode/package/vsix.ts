/**
 * A VSIX: a zip with the extension below `extension/` and two lists of what it is, for VS Code and the marketplace
 * (https://github.com/microsoft/vscode-vsce, package.ts). The same files always make the same bytes.
 */
import { createWriteStream } from 'node:fs';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

export interface VsixFile {
  /** Its path in the extension, with slashes. */
  readonly path: string;
  readonly content: Buffer;
}

/** What of the manifest stands in the list for the marketplace too. */
export interface VsixManifest {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly version: string;
  readonly publisher: string;
  readonly categories: readonly string[];
  readonly keywords: readonly string[];
  readonly engines: { readonly vscode: string };
  readonly extensionKind: readonly string[];
  readonly icon: string;
}

/** The least time that a zip can hold. */
const always = new Date(1980, 0, 1);

const contentTypes: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.js': 'application/javascript',
  '.cjs': 'application/javascript',
  '.md': 'text/markdown',
  '.txt': 'text/plain',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.vsixmanifest': 'text/xml',
};

/** Writes the VSIX; `files` must hold `package.json`, `README.md`, `CHANGELOG.md`, `LICENSE.txt` and the icon. */
export async function writeVsix(path: string, manifest: VsixManifest, files: readonly VsixFile[]): Promise<void> {
  const zip = new yazl.ZipFile();
  const add = (name: string, content: Buffer) =>
    zip.addBuffer(content, name, { mtime: always, mode: 0o100644, forceDosTimestamp: true });
  add('extension.vsixmanifest', Buffer.from(vsixManifest(manifest)));
  add('[Content_Types].xml', Buffer.from(contentTypesOf(files)));
  for (const { path: inside, content } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    add(`extension/${inside}`, content);
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
}

function vsixManifest(manifest: VsixManifest): string {
  const { name, displayName, description, version, publisher, categories, keywords, engines, extensionKind, icon } =
    manifest;
  const asset = (type: string, path: string) =>
    `    <Asset Type="${type}" Path="extension/${path}" Addressable="true" />`;
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011" xmlns:d="http://schemas.microsoft.com/developer/vsx-schema-design/2011">
  <Metadata>
    <Identity Language="en-US" Id="${xml(name)}" Version="${xml(version)}" Publisher="${xml(publisher)}" />
    <DisplayName>${xml(displayName)}</DisplayName>
    <Description xml:space="preserve">${xml(description)}</Description>
    <Tags>${xml(keywords.join(','))}</Tags>
    <Categories>${xml(categories.join(','))}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(engines.vscode)}" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value="" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value="" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="${xml(extensionKind.join(','))}" />
      <Property Id="Microsoft.VisualStudio.Code.LocalizedLanguages" Value="" />
      <Property Id="Microsoft.VisualStudio.Services.GitHubFlavoredMarkdown" Value="true" />
    </Properties>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/${xml(icon)}</Icon>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code" />
  </Installation>
  <Dependencies />
  <Assets>
${[
  asset('Microsoft.VisualStudio.Code.Manifest', 'package.json'),
  asset('Microsoft.VisualStudio.Services.Content.Details', 'README.md'),
  asset('Microsoft.VisualStudio.Services.Content.Changelog', 'CHANGELOG.md'),
  asset('Microsoft.VisualStudio.Services.Content.License', 'LICENSE.txt'),
  asset('Microsoft.VisualStudio.Services.Icons.Default', xml(icon)),
].join('\n')}
  </Assets>
</PackageManifest>
`;
}

function contentTypesOf(files: readonly VsixFile[]): string {
  const endings = new Set(['.vsixmanifest', ...files.map(({ path }) => extname(path).toLowerCase()).filter(Boolean)]);
  const types = [...endings].sort().map((ending) => {
    const type = contentTypes[ending] ?? 'application/octet-stream';
    return `<Default Extension="${ending}" ContentType="${type}"/>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${types.join('')}</Types>
`;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
