import os
import subprocess
import sys

if len(sys.argv) > 1:
    answer = "child says " + os.environ["GREETING"]
    print(answer)
else:
    subprocess.run([sys.executable, __file__, "child"], check=True)
    print("parent done")
