using System;
using System.Net;
using System.Text;

// A cart that knows little: it says what its environment is, asks the prices service by name, and ends when told to.
//
//   GET /environment    GREETING, POD_NAMESPACE and how long PAYMENT_TOKEN is
//   GET /prices         what http://prices/ answers
//   GET /exit?code=N    ends the program with N
static class Program
{
    static int Main()
    {
        string port = Environment.GetEnvironmentVariable("PORT") ?? "8080";
        HttpListener listener = new HttpListener();
        listener.Prefixes.Add("http://*:" + port + "/");
        listener.Start();
        Console.WriteLine("sample listens on port " + port + ", in " + (Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? "no cluster"));
        for (;;)
        {
            HttpListenerContext context = listener.GetContext();
            string path = context.Request.Url.AbsolutePath;
            string answer = path == "/prices" ? AskPrices() : path == "/exit" ? "bye" : Describe();
            byte[] body = Encoding.UTF8.GetBytes(answer);
            context.Response.ContentLength64 = body.Length;
            context.Response.OutputStream.Write(body, 0, body.Length);
            context.Response.Close();
            if (path == "/exit") return int.Parse(context.Request.QueryString["code"] ?? "0");
        }
    }

    static string Describe()
    {
        string token = Environment.GetEnvironmentVariable("PAYMENT_TOKEN") ?? "";
        return "greeting: " + Environment.GetEnvironmentVariable("GREETING") + "\n"
            + "namespace: " + Environment.GetEnvironmentVariable("POD_NAMESPACE") + "\n"
            + "token: " + token.Length + " characters\n";
    }

    static string AskPrices()
    {
        using (WebClient client = new WebClient())
        {
            return client.DownloadString(Environment.GetEnvironmentVariable("PRICES_URL") ?? "http://prices/?item=Espresso");
        }
    }
}
