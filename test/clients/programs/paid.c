#include <stdio.h>
#include <stdlib.h>

int main(void) {
  int paid = 32;
  printf("paid %d %s\n", paid, getenv("GREETING")); /* plain */
  return 0;
}
