/** A right as a Role grants it. */

/** One verb on one resource, in the words of RBAC. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  /** With its subresource, as in a Role: `pods/portforward`. */
  readonly resource: string;
  /** Only for this object; undefined: for all of the namespace. */
  readonly name?: string;
}
