#include <stdio.h>
#include <unistd.h>

static int turn(int unit, int count) {
  int total = unit * count; /* conditional */
  return total;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  for (int turns = 1;; turns++) {
    turn(7, 1 + turns % 2);
    printf("turn %d\n", turns);
    usleep(50000);
  }
}
