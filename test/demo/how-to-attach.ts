import { cartProgram } from '../apps/shop/shop.ts';
import type { Place } from './place.ts';

/** What a user does next with the place that stands. */
export function howToAttach(place: Place): string {
  const configuration = {
    type: 'kubernetes-local',
    request: 'launch',
    name: 'cart in the cluster',
    target: 'service/cart',
    namespace: place.shop.namespace,
    ...place.cluster,
    agentImage: place.agentImage,
    delegate: { type: 'debugpy', request: 'launch', program: cartProgram, python: '/usr/bin/python3' },
  };
  const visit = [
    ...place.shop.kubectl.argv,
    'exec',
    '-n',
    place.shop.namespace,
    'visitor',
    '--',
    'wget',
    '-q',
    '-O',
    '-',
    'http://web/json',
  ];
  return `The launch configuration for your IDE (see launch-templates/):
${JSON.stringify(configuration, undefined, 2)}
The debug adapter: ${place.product.join(' ')} dap --delegate debugpy
A request from inside the cluster:
  ${visit.join(' ')}
Without a debugger:
  ${place.product.join(' ')} run --target service/cart --namespace ${place.shop.namespace}${place.cluster.kubeconfig ? ` --kubeconfig ${place.cluster.kubeconfig}` : ` --context ${place.cluster.context}`} --agent-image ${place.agentImage} -- /usr/bin/python3 ${cartProgram}
The end of it all: npm run cluster -- down --name demo`;
}
