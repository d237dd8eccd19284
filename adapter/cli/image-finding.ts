/** What the doctor says of the agent's image. Whether a node can pull it is known only when it does; the rest is looked at. */
import type { Cluster } from '../cluster/cluster.ts';
import { nodesWithImage, readImageName } from '../cluster/node-images.ts';
import { type Finding, limited, ok } from '../network/doctor/finding.ts';
import { Problem } from '../problem.ts';

/** The finding. Problem bad-value if it is no name of an image. */
export async function imageFinding(
  subject: string,
  cluster: Cluster,
  image: string,
  signal: AbortSignal,
): Promise<Finding> {
  const name = readImageName(image);
  if (name === undefined) {
    throw new Problem({
      code: 'bad-value',
      what: `"${image}" is not the name of an image.`,
      why: '',
      remedy: 'Write for example "agentImage": "registry.example.com/team/agent:1".',
    });
  }
  const nodes = await nodesWithImage(cluster, image, signal);
  if (nodes !== undefined && nodes.have.length > 0 && nodes.others.length === 0) {
    return ok(subject, `Every node has ${image} already, and it is not pulled again (IfNotPresent).`);
  }
  const some =
    nodes === undefined
      ? 'You may not list nodes, so it is not known whether they have it already.'
      : nodes.have.length === 0
        ? 'No node tells that it has it already.'
        : `Already on ${nodes.have.join(', ')}, but not on ${nodes.others.join(', ')}.`;
  if (name.registry === undefined) {
    return limited(
      subject,
      `${image} names no registry, so nodes without it look at docker.io for ${name.full}. ${some}`,
      'Put the image into a registry that the nodes can read (npm run images), and name it with "agentImage".',
    );
  }
  return limited(
    subject,
    `Whether the nodes can pull ${image} from ${name.registry} cannot be known beforehand. ${some}`,
    "Make sure that it is there, and that the pull secrets of the workload's pods are good for that registry. If it cannot be pulled, everything is undone.",
  );
}
