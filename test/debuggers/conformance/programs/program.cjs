function price(unit, count) {
  const total = unit * count; // conditional
  return total;
}

function greet(paid) {
  console.log('paid', paid, process.env.GREETING ?? 'nothing');
}

function main() {
  let paid = price(3, 1);
  paid += price(7, 2);
  paid += price(3, 5); // log
  greet(paid); // plain
  try {
    throw new RangeError('spoon');
  } catch (error) {
    console.log('caught', error.message);
  }
}

main();
