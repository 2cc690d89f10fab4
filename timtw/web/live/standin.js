// What is shown of somebody without a camera: a letter, and something that moves, so that one
// sees that the line is alive.

const TURN_MS = 4_000;

export function drawStandIn(context, name, now = performance.now()) {
  const { width, height } = context.canvas;
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 170);
  const turn = (now / TURN_MS) * 2 * Math.PI;
  const ground = context.createLinearGradient(0, 0, width, height);
  ground.addColorStop(0, `hsl(${hue} 45% 26%)`);
  ground.addColorStop(1, `hsl(${(hue + 50) % 360} 50% 15%)`);
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
  const [x, y, radius] = [width / 2, height / 2, height / 4];
  waves(context, hue, turn);
  context.fillStyle = `hsl(${hue} 50% 36%)`;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
  context.lineWidth = height / 60;
  context.lineCap = "round";
  context.strokeStyle = `hsl(${hue} 70% 78%)`;
  context.beginPath();
  context.arc(x, y, radius * 1.18, turn, turn + 1.9);
  context.stroke();
  context.fillStyle = "#ffffff";
  context.font = `600 ${Math.round(radius)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(([...name.trim()][0] ?? "?").toUpperCase(), x, y * 1.02);
}

function waves(context, hue, turn) {
  const { width, height } = context.canvas;
  for (let wave = 0; wave < 3; wave += 1) {
    context.fillStyle = `hsl(${hue} 60% 60% / 9%)`;
    context.beginPath();
    context.moveTo(0, height);
    for (let x = 0; x <= width; x += width / 24) {
      const swing = Math.sin((x / width) * 5 + turn * (wave + 1) * 0.5 + wave * 2);
      context.lineTo(x, height * (0.74 + wave * 0.07) + (swing * height) / 22);
    }
    context.lineTo(width, height);
    context.fill();
  }
}
