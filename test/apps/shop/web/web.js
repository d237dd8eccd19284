/** The shop's front: asks the cart and shows it, as a page at / and as JSON at /json. */
import { createServer, get } from 'node:http';
import { hostname } from 'node:os';

// The cart may stand at a breakpoint, with somebody who looks around.
const patience = 50_000;
const port = Number(process.env.PORT ?? 8080);
const cartUrl = process.env.CART_URL ?? 'http://cart/';
const servedBy =
  'KUBERNETES_LOCAL_SESSION' in process.env ? `this computer: ${hostname()}` : `${hostname()} in the cluster`;

// Each request is a new connection, so that a changed cart is seen at once and both replicas get their share.
function askCart(search) {
  return new Promise((resolve, reject) => {
    const request = get(new URL(search, cartUrl), { agent: false, timeout: patience }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`the cart answered ${response.statusCode}`));
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error(`the cart did not answer within ${patience / 1000} s`)));
    request.on('error', reject);
  });
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const money = (cents, currency) => `${(cents / 100).toFixed(2)} ${escaped(currency)}`;

const page = (title, body) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
  body { font: 17px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color: #24292f; background: #faf8f5 }
  main { background: #fff; border-radius: 12px; padding: 1.5rem 2rem; box-shadow: 0 2px 14px #0001 }
  h1 { margin: 0 0 .25rem; font-size: 1.6rem } .greeting { white-space: pre-line; color: #57606a }
  table { width: 100%; border-collapse: collapse; margin: 1rem 0 } td { padding: .4rem 0; border-bottom: 1px solid #eee }
  td:last-child { text-align: right; font-variant-numeric: tabular-nums } .total td { font-weight: 600; border: 0 }
  footer { font-size: .85rem; color: #57606a } footer b { color: #24292f } .here { background: #fff3bf; border-radius: 4px }
</style></head><body><main>${body}</main></body></html>
`;

const place = (text) => `<b class="${text.startsWith('this computer') ? 'here' : ''}">${escaped(text)}</b>`;

function cartPage(cart) {
  const rows = cart.items.map(
    (item) =>
      `<tr><td>${escaped(item.quantity)} × ${escaped(item.name)}</td><td>${money(item.cents, cart.currency)}</td></tr>`,
  );
  return page(
    'The shop',
    `<h1>Your cart</h1><p class="greeting">${escaped(cart.greeting)}</p>
<table>${rows.join('')}<tr class="total"><td>Total</td><td>${money(cart.totalCents, cart.currency)}</td></tr></table>
<footer>Cart served by ${place(cart.cartServedBy)}<br>Prices served by ${place(cart.pricesServedBy)}<br>
Page served by ${place(servedBy)}<br>${escaped(cart.terms)}</footer>`,
  );
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://web/');
  if (url.pathname === '/health') return response.end('ok\n');
  if (url.pathname !== '/' && url.pathname !== '/json') {
    response.statusCode = 404;
    return response.end(`nothing at ${url.pathname}\n`);
  }
  const json = url.pathname === '/json';
  response.setHeader('content-type', json ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8');
  try {
    const cart = await askCart(url.search);
    response.end(json ? `${JSON.stringify({ ...cart, webServedBy: servedBy })}\n` : cartPage(cart));
  } catch (error) {
    response.statusCode = 502;
    const why = error instanceof Error ? error.message : String(error);
    response.end(
      json ? `${JSON.stringify({ error: why })}\n` : page('The shop', `<h1>No cart</h1><p>${escaped(why)}</p>`),
    );
  }
}

const server = createServer(answer).listen(port, () => console.log(`web listens on port ${port}`));
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
