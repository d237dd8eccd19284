def price(unit, count)
  total = unit * count # conditional
  total
end

def greet(paid)
  puts "paid #{paid} #{ENV.fetch('GREETING', 'nothing')}"
end

def main
  paid = price(3, 1)
  paid += price(7, 2)
  paid += price(3, 5)
  greet(paid) # plain
  begin
    raise 'spoon'
  rescue RuntimeError => e
    puts "caught #{e.message}"
  end
end

$stdout.sync = true
main
