function greet(secret, greeting) {
  console.log('Greeting', greeting, secret.length);
}

greet(process.env.SECRET ?? 'none', process.env.GREETING ?? 'nobody');

if (process.env.STAY) setInterval(() => {}, 1000);
