function turn(unit, count) {
  const total = unit * count; // conditional
  return total;
}

let turns = 0;
setInterval(() => {
  turns += 1;
  turn(7, 1 + (turns % 2));
  process.stdout.write(`turn ${turns}\n`);
}, 50);
