import subprocess
import sys
import time

# A program with a child of its own, for the tests in which everything has to end.
subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(60)"])
while True:
    time.sleep(0.05)
