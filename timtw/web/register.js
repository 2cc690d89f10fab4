// Registration, which goes over HTTP.
import { Refused } from "./requests.js";
import { encode, TYPE } from "./wire.js";

// Makes an account over HTTP. Rejects with Refused; 0 when the node could not be reached.
export async function register(name, pwd) {
  let answer;
  try {
    const response = await fetch("/tim2", {
      method: "POST",
      body: encode(TYPE.REGISTER, { name, pwd }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    answer = JSON.parse(new TextDecoder().decode(bytes.subarray(1)));
  } catch {
    throw new Refused(0);
  }
  if (!answer.ok) throw new Refused(answer.error?.code ?? 0);
}
