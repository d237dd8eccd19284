import { z } from 'zod';

const cartSchema = z.object({
  greeting: z.string(),
  items: z.array(z.object({ name: z.string(), quantity: z.number(), cents: z.number() })),
  totalCents: z.number(),
  currency: z.string(),
  cartServedBy: z.string(),
  pricesServedBy: z.string(),
  webServedBy: z.string(),
});

/** What the shop's front answered at /json. */
export type Cart = z.infer<typeof cartSchema>;

/** Reads the answer of the shop's front; throws if it is not a cart. */
export function parseCart(json: string): Cart {
  return cartSchema.parse(JSON.parse(json));
}

/** The cart as a person reads it. */
export function receipt(cart: Cart): string {
  const money = (cents: number) => `${(cents / 100).toFixed(2)} ${cart.currency}`.padStart(12);
  const lines = cart.items.map((item) => `${item.quantity} × ${item.name}`.padEnd(22) + money(item.cents));
  return [
    ...lines,
    'Total'.padEnd(22) + money(cart.totalCents),
    `web    served by ${cart.webServedBy}`,
    `cart   served by ${cart.cartServedBy}`,
    `prices served by ${cart.pricesServedBy}`,
  ].join('\n');
}
