/* Written by generate.ts from launch.schema.json: change that file, then run `node adapter/launch/generate.ts`. */

/**
 * Runs one service of a Kubernetes cluster on this computer, under the debugger.
 */
export interface LaunchSchema {
  /**
   * Always "kubernetes-local". Where the IDE has no way to name the real debugger beforehand: "kubernetes-local/" and its type.
   */
  type?: string;
  /**
   * What the IDE asks this adapter to do. Whether the program is started or attached to is the delegate's own "request".
   */
  request?: 'launch' | 'attach';
  /**
   * The name shown in the IDE's list of configurations.
   */
  name?: string;
  /**
   * What runs on this computer instead of in the cluster: service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME or pod/NAME. A name alone means the Service.
   */
  target: string;
  /**
   * The target's namespace. Default: the namespace of the kubeconfig's context, else "default".
   */
  namespace?: string;
  /**
   * The kubeconfig's context, that is: which cluster, as which user. Default: its current context.
   */
  context?: string;
  /**
   * The kubeconfig file, or several as in the variable KUBECONFIG. Default: that variable, else ~/.kube/config.
   */
  kubeconfig?: string;
  /**
   * The container of the target's pods to replace. Default: the one the Service's ports lead to, or the only one.
   */
  container?: string;
  /**
   * Container port (its number or name) to the port on which the program listens on this computer. Default: the same number for each port of the container.
   */
  ports?: {
    /**
     * The port on which the program listens on this computer.
     */
    [k: string]: number;
  };
  /**
   * replace: every request to the target reaches this computer, and its pods step aside until debugging ends.
   */
  mode?: 'replace';
  /**
   * How names such as http://prices/ are made to work on this computer. hosts: an address of its own for each Service, in the hosts file. namespace: a private network for the program, with the cluster's own addresses (Linux). env: nothing but environment variables such as PRICES_SERVICE_HOST. auto: the first way that works here.
   */
  network?: 'auto' | 'hosts' | 'namespace' | 'env';
  /**
   * Namespaces whose Services are to be reachable too, under names such as prices.other. Default: only the target's.
   */
  otherNamespaces?: string[];
  /**
   * What to do if a port that the program needs on this computer is in use. ask: show who uses it and let you choose; where nobody can be asked it is fail. fail: end with an error that names the process. other-port: take a free port and say which. stop: end that process, if it is your own, gracefully.
   */
  onPortConflict?: 'ask' | 'fail' | 'other-port' | 'stop';
  /**
   * What to do if somebody debugs the target already. ask: show who and since when, and let you choose; where nobody can be asked it is fail. fail: end with an error that says who. wait: until it is free. share: their session, read-only: your program reaches what the workload reaches and has its environment and files, but gets no requests. take-over: they are told, their session is undone, and yours begins; one that does not answer within 20 seconds is undone for them.
   */
  onHeld?: 'ask' | 'fail' | 'wait' | 'share' | 'take-over';
  /**
   * Whether administrator rights may be asked for. ask: with one question that says what for. never: nothing is done that needs them, so that only root can have mode hosts. allow: your answer to that question is yes; the system may still ask for a password.
   */
  elevate?: 'ask' | 'never' | 'allow';
  /**
   * Whether a small pod in the cluster, the reaper, puts the original back if this computer vanishes for good. auto: if you have the rights to make one. require: a session without it ends with an error. never: no reaper.
   */
  reaper?: 'auto' | 'require' | 'never';
  /**
   * For how many seconds this computer may be silent until the reaper puts the original back; 20 seconds in which a session counts as alive come on top.
   */
  reaperDelay?: number;
  /**
   * Whether the console shows where the time of connecting and disconnecting went, step by step.
   */
  timings?: boolean;
  /**
   * Which variables of the container the program gets, and what it gets instead.
   */
  environment?: {
    /**
     * Only these variables of the container are given to the program. A * stands for any characters. Default: all.
     */
    include?: string[];
    /**
     * These variables of the container are not given to the program. A * stands for any characters.
     */
    exclude?: string[];
    /**
     * Values instead of the container's; null leaves a variable out.
     */
    override?: {
      [k: string]: string | null;
    };
    /**
     * One or several files with NAME=value lines; they win over the container's values, and "override" over them.
     */
    envFile?: string | string[];
    /**
     * Whether the variables that the image itself sets are read too, by running "cat" or "env" in the container before it is replaced. It needs the rights get and create on pods/exec; without it nothing is lost but them.
     */
    fromImage?: boolean;
  };
  /**
   * How the files of the container's volumes come to this computer.
   */
  volumes?: {
    /**
     * Whether files that only the pod has (emptyDir, persistentVolumeClaim, hostPath) are copied to this computer. auto: up to "limit" for each volume. never: they are left out. ConfigMaps, Secrets, tokens and the downward API are always here.
     */
    copy?: 'auto' | 'never';
    /**
     * The most that is copied of one volume, as a quantity of Kubernetes. A larger volume is left out and told.
     */
    limit?: string;
    /**
     * Mount paths of volumes whose files are written back to the pod when they change on this computer. Default: none, what changes here stays here.
     */
    writeBack?: string[];
    /**
     * Mount path to a path on this computer at which a link to its files stands during the session. Nothing may be there yet.
     */
    localPaths?: {
      [k: string]: string;
    };
  };
  /**
   * Names and ports outside the cluster that only its pods can reach, such as a database; they are reached through the cluster. With /udp behind the port it is a UDP port.
   */
  externalEndpoints?: string[];
  /**
   * What to do if a variable or a volume of the container cannot be had, for example because you may not read a Secret. fail: nothing is changed and the error says what is missing. leave-out: it is told and left out, and the rest goes on.
   */
  onUnresolved?: 'fail' | 'leave-out';
  /**
   * The file of Bridge to Kubernetes to read; false: none. Default: KubernetesLocalProcessConfig.yaml beside the program or in its working directory, if it is there.
   */
  processConfig?: string | boolean;
  /**
   * Whether the program is told who calls, by the header of the PROXY protocol before the first byte of each connection from the cluster. v1 is a line of text, v2 is binary, true is v2. Only for a program that expects it; to all others it is rubbish. Default: false.
   */
  proxyProtocol?: 'v2' | 'v1' | true | false;
  /**
   * The image of the agent that stands in for the container. Set it if the cluster can only pull from a registry of your own.
   */
  agentImage?: string;
  /**
   * The real debugger and its own launch configuration, just as it would stand without kubernetes-local: "type", "program", "args", "cwd", "env" and so on.
   */
  delegate?: {
    /**
     * The type of the real debugger, as in its own launch configuration.
     */
    type: string;
    /**
     * launch starts the program under the debugger; attach joins one that runs already.
     */
    request?: 'launch' | 'attach';
    [k: string]: unknown;
  };
  /**
   * How the real debugger's debug adapter is started or reached, if not in its usual way.
   */
  debugAdapter?: {
    /**
     * The program and its arguments that start the debug adapter, instead of the one that would be found. "{port}" in it is replaced by a free port and "{socket}" by the path of a private socket, at which it has to listen.
     *
     * @minItems 1
     */
    command?: [string, ...string[]];
    /**
     * The address at which the debug adapter listens. Default: 127.0.0.1.
     */
    host?: string;
    /**
     * The port at which the debug adapter listens. Without "command" it runs already.
     */
    port?: number;
    /**
     * A regular expression for the line by which the debug adapter says where it listens; its group "port" is the port, its group "host" the address.
     */
    readyPattern?: string;
    /**
     * How a debugger of type "custom" takes environment variables: as an object or a list of "NAME=VALUE" in its launch arguments, or from the process of its debug adapter.
     */
    environment?: 'object' | 'list' | 'process';
    /**
     * The key of the environment variables in the launch arguments of a debugger of type "custom". Default: env.
     */
    environmentKey?: string;
  };
}
