#include <stdio.h>
#include <stdlib.h>

static int price(int unit, int count) {
  int total = unit * count; /* conditional */
  return total;
}

static void greet(int paid) {
  const char *greeting = getenv("GREETING");
  printf("paid %d %s\n", paid, greeting ? greeting : "nothing");
}

static void farewell(void) { puts("bye"); }

/* What a C++ compiler calls for a throw, and where LLDB stops for it: so no C++ compiler is needed. */
void __cxa_throw(void *object, void *type, void (*destructor)(void *)) {
  if (object == type && destructor == NULL) puts("thrown");
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  int paid = price(3, 1);
  paid += price(7, 2);
  paid += price(3, 5); /* log */
  greet(paid); /* plain */
  farewell();
  __cxa_throw(NULL, NULL, NULL);
  return 0;
}
