// A session by the OCPP client of the npm package ocpp-rpc, which checks every answer against schemas of its own.
// usage: node foreign_client.cjs <endpoint> <identity> <password> <id tag>; prints the transaction id.
const { RPCClient } = require("ocpp-rpc");

async function main([endpoint, identity, password, idTag]) {
  const client = new RPCClient({ endpoint, identity, password, protocols: ["ocpp1.6"], strictMode: true });
  await client.connect();
  const boot = await client.call("BootNotification", { chargePointVendor: "npm", chargePointModel: "ocpp-rpc" });
  if (boot.status !== "Accepted") throw new Error(`boot: ${boot.status}`);
  await client.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" });
  const authorized = await client.call("Authorize", { idTag });
  if (authorized.idTagInfo.status !== "Accepted") throw new Error(`authorize: ${authorized.idTagInfo.status}`);
  const at = (secondsAgo) => new Date(Date.now() - secondsAgo * 1000).toISOString();
  const { transactionId } = await client.call("StartTransaction", { connectorId: 1, idTag, meterStart: 100, timestamp: at(600) });
  const sampledValue = [{ value: "1100", measurand: "Energy.Active.Import.Register", unit: "Wh" }];
  await client.call("MeterValues", { connectorId: 1, transactionId, meterValue: [{ timestamp: at(300), sampledValue }] });
  await client.call("StopTransaction", { transactionId, idTag, meterStop: 3100, timestamp: at(0), reason: "Local" });
  await client.call("Heartbeat", {});
  await client.close();
  console.log(transactionId);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
