//! A machine that is written directly and changed: whom it acts as, what it keeps to itself, which disks and interfaces it may have, and what waits until it is on, or off.

mod common;

use azure_sim::{Config, seed};
use common::{Answer, COMPUTE, NETWORK, Sim, deployment, fast, machine_template};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const DISKS: &str = "2025-01-02";

struct Place {
    sim: Sim,
    group: String,
}

impl Place {
    async fn new(config: Config, group: &str) -> Place {
        let sim = Sim::start(config).await;
        let group = sim.group(group).await;
        Place { sim, group }
    }

    fn compute(&self, below: &str) -> String {
        format!(
            "{}/providers/Microsoft.Compute/{below}?api-version={COMPUTE}",
            self.group
        )
    }

    fn disk(&self, name: &str) -> String {
        format!("{}/providers/Microsoft.Compute/disks/{name}", self.group)
    }

    async fn done(&self, answer: Answer) -> Value {
        assert!(
            answer.status.is_success(),
            "{} {}",
            answer.status,
            answer.body
        );
        self.sim.wait(&answer).await
    }

    async fn interface(&self, name: &str) -> String {
        let id = format!(
            "{}/providers/Microsoft.Network/networkInterfaces/{name}",
            self.group
        );
        let body = json!({ "location": "westeurope", "properties": { "ipConfigurations": [
            { "name": "one", "properties": { "subnet": { "id": seed::SUBNET_DEV_WESTEUROPE } } },
        ] } });
        let put = self
            .sim
            .put(&format!("{id}?api-version={NETWORK}"), &body)
            .await;
        self.done(put).await;
        id
    }

    async fn made_disk(&self, name: &str) -> String {
        let id = self.disk(name);
        let body = json!({ "location": "westeurope", "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 8 } });
        let put = self
            .sim
            .put(&format!("{id}?api-version={DISKS}"), &body)
            .await;
        self.done(put).await;
        id
    }

    async fn act(&self, machine: &str, action: &str) {
        let answer = self
            .sim
            .post(
                &self.compute(&format!("virtualMachines/{machine}/{action}")),
                &json!({}),
            )
            .await;
        self.done(answer).await;
    }

    async fn power(&self, machine: &str) -> String {
        let view = self
            .sim
            .get(&self.compute(&format!("virtualMachines/{machine}/instanceView")))
            .await
            .body;
        view["statuses"][1]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

fn machine(interface: &str) -> Value {
    json!({ "location": "westeurope", "properties": {
        "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
        "storageProfile": {
            "imageReference": { "publisher": "MicrosoftCBLMariner", "offer": "azure-linux-3", "sku": "azure-linux-3-gen2", "version": "latest" },
            "osDisk": { "name": "os", "createOption": "FromImage", "diskSizeGB": 32 },
            "dataDisks": [],
        },
        "osProfile": { "computerName": "one", "adminUsername": "azureops", "adminPassword": "hush-Hush-1" },
        "networkProfile": { "networkInterfaces": [{ "id": interface }] },
    } })
}

#[tokio::test]
async fn a_machine_acts_as_its_identities_and_a_template_hands_them_on() {
    let place = Place::new(fast(), "rg-identity").await;
    let mut template = machine_template();
    template["resources"][0]["identity"] = json!({
        "type": "SystemAssigned, UserAssigned",
        "userAssignedIdentities": { (seed::IDENTITY_DEV): {} },
    });
    template["outputs"]["principal"] = json!({
        "type": "string",
        "value": "[reference(resourceId('Microsoft.Compute/virtualMachines', parameters('name')), '2024-07-01', 'full').identity.principalId]",
    });
    let path = format!(
        "{}/providers/Microsoft.Resources/deployments/d?api-version=2025-04-01",
        place.group
    );
    let put = place
        .sim
        .put(&path, &deployment(&template, &json!({ "name": "web" })))
        .await;
    assert_eq!(place.done(put).await["status"], "Succeeded");
    let outputs = place.sim.get(&path).await.body["properties"]["outputs"].clone();
    let seen = place.sim.get(&place.compute("virtualMachines/web")).await;
    let identity = &seen.body["identity"];
    assert_eq!(identity["principalId"], outputs["principal"]["value"]);
    assert_eq!(identity["tenantId"], seed::TENANT);
    let own = place
        .sim
        .get(&format!("{}?api-version=2024-11-30", seed::IDENTITY_DEV))
        .await
        .body;
    assert_eq!(
        identity["userAssignedIdentities"][seed::IDENTITY_DEV]["principalId"],
        own["properties"]["principalId"]
    );

    let patch = |identity: Value| {
        let body = json!({ "identity": identity });
        let (sim, path) = (&place.sim, place.compute("virtualMachines/web"));
        async move { sim.send(Method::PATCH, &path, Some(&body)).await.unwrap() }
    };
    assert_eq!(
        patch(json!({ "type": "Anybody" })).await.status,
        StatusCode::BAD_REQUEST
    );
    let none_left =
        json!({ "type": "UserAssigned", "userAssignedIdentities": { (seed::IDENTITY_DEV): null } });
    assert_eq!(patch(none_left).await.code(), "MissingIdentityIds");
    let taken = patch(json!({ "type": "None" })).await;
    place.done(taken).await;
    let seen = place.sim.get(&place.compute("virtualMachines/web")).await;
    assert_eq!(seen.body.get("identity"), None);
}

#[tokio::test]
async fn what_is_secret_stays_secret_and_user_data_is_shown_on_request() {
    let data = tempfile::tempdir().unwrap();
    let config = Config {
        data: Some(data.path().to_owned()),
        ..fast()
    };
    let place = Place::new(config, "rg-secrets").await;
    let interface = place.interface("nic").await;
    let mut body = machine(&interface);
    body["properties"]["userData"] = "aGVsbG8=".into();
    body["properties"]["osProfile"]["customData"] = "aHVzaC1IdXNo".into();
    let path = place.compute("virtualMachines/one");
    let put = place.sim.put(&path, &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    assert_eq!(put.body["properties"].get("userData"), None);
    place.done(put).await;
    let extension = place.compute("virtualMachines/one/extensions/script");
    let script = json!({ "location": "westeurope", "properties": {
        "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1",
        "protectedSettings": { "commandToExecute": "echo hush-Hush-2" },
    } });
    let put = place.sim.put(&extension, &script).await;
    place.done(put).await;

    let plain = place.sim.get(&path).await.body;
    assert_eq!(plain["properties"].get("userData"), None);
    let shown = place
        .sim
        .get(&format!("{path}&$expand=userData"))
        .await
        .body;
    assert_eq!(shown["properties"]["userData"], "aGVsbG8=");
    // A PUT that says nothing of it leaves it.
    let put = place.sim.put(&path, &plain).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    place.done(put).await;
    let shown = place
        .sim
        .get(&format!("{path}&$expand=userData"))
        .await
        .body;
    assert_eq!(shown["properties"]["userData"], "aGVsbG8=");

    place.sim.running.shutdown().await;
    let kept: String = std::fs::read_dir(data.path())
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    assert!(kept.contains("aGVsbG8="), "this is where it is kept");
    assert!(!kept.contains("hush-Hush") && !kept.contains("aHVzaC1IdXNo"));
}

#[tokio::test]
async fn disks_and_interfaces_must_be_what_they_are_said_to_be_and_free() {
    let place = Place::new(fast(), "rg-disks").await;
    let interface = place.interface("nic").await;
    let (disk, used) = (place.made_disk("data").await, place.made_disk("used").await);
    let path = place.compute("virtualMachines/one");
    let with = |pointer: &str, value: Value| {
        let mut body = machine(&interface);
        *body["properties"].pointer_mut(pointer).unwrap() = value;
        body
    };
    let (disks, os) = ("/storageProfile/dataDisks", "/storageProfile/osDisk/name");
    let nics = "/networkProfile/networkInterfaces";
    let attach = |lun: u8, id: &str| json!({ "lun": lun, "createOption": "Attach", "managedDisk": { "id": id } });
    let empty =
        |name: Value| json!({ "lun": 0, "createOption": "Empty", "name": name, "diskSizeGB": 4 });
    let security = seed::VNET_DEV_WESTEUROPE.replace(
        seed::VNET_DEV_WESTEUROPE
            .rsplit("/providers/")
            .next()
            .unwrap(),
        "Microsoft.Network/networkSecurityGroups/nsg-dev-westeurope",
    );
    for (why, body, status, code) in [
        (
            "an existing disk is not made again",
            with(disks, json!([empty("data".into())])),
            409,
            "ConflictingUserInput",
        ),
        (
            "nor as the OS disk",
            with(os, "data".into()),
            409,
            "ConflictingUserInput",
        ),
        (
            "one disk twice",
            with(disks, json!([attach(0, &disk), attach(1, &disk)])),
            400,
            "InvalidParameter",
        ),
        (
            "two disks at one LUN",
            with(disks, json!([attach(0, &disk), attach(0, &used)])),
            400,
            "InvalidParameter",
        ),
        (
            "an interface is no disk",
            with(disks, json!([attach(0, &interface)])),
            400,
            "InvalidParameter",
        ),
        (
            "a network is no interface",
            with(nics, json!([{ "id": seed::VNET_DEV_WESTEUROPE }])),
            400,
            "InvalidParameter",
        ),
        (
            "nor is a security group",
            with(nics, json!([{ "id": security }])),
            400,
            "InvalidParameter",
        ),
        (
            "empty, but how large?",
            with(disks, json!([{ "lun": 0, "createOption": "Empty" }])),
            400,
            "InvalidParameter",
        ),
        (
            "a name with a slash",
            with(disks, json!([empty("a/b".into())])),
            400,
            "InvalidParameter",
        ),
        (
            "a name that climbs",
            with(os, "../x".into()),
            400,
            "InvalidParameter",
        ),
        (
            "a name that parts the path",
            with(os, json!("a/b")),
            400,
            "InvalidParameter",
        ),
    ] {
        let refused = place.sim.put(&path, &body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (status, code),
            "{why}: {}",
            refused.body
        );
    }

    let mut body = with(
        disks,
        json!([attach(0, &used), { "lun": 1, "createOption": "Empty", "name": "new", "diskSizeGB": 4 }]),
    );
    let put = place.sim.put(&path, &body).await;
    place.done(put).await;
    // The same again is no change, and its own disks are its own.
    let put = place.sim.put(&path, &body).await;
    place.done(put).await;
    let other = place.interface("other").await;
    body["properties"]["storageProfile"]["osDisk"]["name"] = "os-two".into();
    body["properties"]["networkProfile"]["networkInterfaces"][0]["id"] = other.into();
    let refused = place
        .sim
        .put(&place.compute("virtualMachines/two"), &body)
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::CONFLICT, "ConflictingUserInput")
    );
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("already owned by VM"), "{message}");
}

#[tokio::test]
async fn a_machine_that_is_off_takes_no_extension_and_one_that_is_on_no_second_interface() {
    let place = Place::new(fast(), "rg-power").await;
    let (first, second) = (place.interface("a").await, place.interface("b").await);
    let path = place.compute("virtualMachines/one");
    let put = place.sim.put(&path, &machine(&first)).await;
    place.done(put).await;
    let extension = place.compute("virtualMachines/one/extensions/login");
    let login = json!({ "location": "westeurope", "properties": {
        "publisher": "Microsoft.Azure.ActiveDirectory", "type": "AADSSHLoginForLinux", "typeHandlerVersion": "1.0",
    } });
    let put = place.sim.put(&extension, &login).await;
    place.done(put).await;

    let mut two = machine(&first);
    two["properties"]["networkProfile"]["networkInterfaces"] = json!([
        { "id": first, "properties": { "primary": true } }, { "id": second, "properties": { "primary": false } },
    ]);
    let refused = place.sim.put(&path, &two).await;
    assert_eq!(
        (refused.status, refused.code()),
        (
            StatusCode::CONFLICT,
            "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported"
        )
    );

    for action in ["powerOff", "deallocate"] {
        place.act("one", action).await;
        for (method, body) in [
            (Method::PUT, Some(&login)),
            (Method::PATCH, Some(&login)),
            (Method::DELETE, None),
        ] {
            let refused = place
                .sim
                .send(method.clone(), &extension, body)
                .await
                .unwrap();
            assert_eq!(
                (refused.status, refused.code()),
                (StatusCode::CONFLICT, "OperationNotAllowed"),
                "{method} after {action}"
            );
        }
    }
    // Switching off what is off does not take its place up again.
    place.act("one", "powerOff").await;
    assert_eq!(place.power("one").await, "PowerState/deallocated");
    let put = place.sim.put(&path, &two).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    place.done(put).await;
    assert_eq!(place.power("one").await, "PowerState/deallocated");
    place.act("one", "start").await;
    let deleting = place.sim.delete(&extension).await;
    place.done(deleting).await;
}

#[tokio::test]
async fn a_disk_grows_by_itself_and_not_through_its_machine() {
    let place = Place::new(fast(), "rg-grow").await;
    let interface = place.interface("nic").await;
    let path = place.compute("virtualMachines/one");
    let put = place.sim.put(&path, &machine(&interface)).await;
    place.done(put).await;
    let larger = json!({ "properties": { "storageProfile": { "osDisk": { "diskSizeGB": 64 } } } });
    let grow = || place.sim.send(Method::PATCH, &path, Some(&larger));
    let on = grow().await.unwrap();
    assert_eq!(
        (on.status, on.code()),
        (StatusCode::CONFLICT, "OperationNotAllowed")
    );
    place.act("one", "deallocate").await;
    let off = grow().await.unwrap();
    assert_eq!(
        (off.status, off.code()),
        (StatusCode::CONFLICT, "ResizeDiskError")
    );
    let disk = format!("{}?api-version={DISKS}", place.disk("os"));
    let patch = place
        .sim
        .send(
            Method::PATCH,
            &disk,
            Some(&json!({ "properties": { "diskSizeGB": 64 } })),
        )
        .await
        .unwrap();
    place.done(patch).await;
    let seen = place.sim.get(&path).await.body;
    assert_eq!(
        seen["properties"]["storageProfile"]["osDisk"]["diskSizeGB"],
        64
    );
    let same = grow().await.unwrap();
    assert_eq!(same.status, StatusCode::OK, "{}", same.body);
}

/// Azure has no place for it at first; writing it again finds one.
#[tokio::test]
async fn a_machine_that_did_not_come_up_is_written_again_and_runs() {
    let place = Place::new(fast(), "rg-again").await;
    let interface = place.interface("nic").await;
    let path = place.compute("virtualMachines/one");
    place
        .sim
        .fault(&json!({ "method": "PUT", "path": "/virtualMachines/", "times": 1, "action": { "type": "fail", "code": "AllocationFailed", "message": "Allocation failed." } }))
        .await;
    let put = place.sim.put(&path, &machine(&interface)).await;
    assert_eq!(place.done(put).await["status"], "Failed");
    let put = place.sim.put(&path, &machine(&interface)).await;
    assert_eq!(place.done(put).await["status"], "Succeeded");
    assert_eq!(place.power("one").await, "PowerState/running");
}

#[tokio::test]
async fn a_machine_is_moved_written_again_sized_up_and_evicted() {
    let place = Place::new(fast(), "rg-actions").await;
    let (first, second) = (place.interface("a").await, place.interface("b").await);
    let mut body = machine(&first);
    let put = place
        .sim
        .put(&place.compute("virtualMachines/one"), &body)
        .await;
    place.done(put).await;
    let sizes = place
        .sim
        .get(&place.compute("virtualMachines/one/vmSizes"))
        .await
        .body;
    let sizes: Vec<&str> = sizes["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert!(sizes.contains(&"Standard_D4s_v5") && !sizes.contains(&"Standard_D2ps_v6"));
    for action in ["redeploy", "reapply"] {
        place.act("one", action).await;
        assert_eq!(place.power("one").await, "PowerState/running", "{action}");
    }
    place.act("one", "deallocate").await;
    place.act("one", "reapply").await;
    assert_eq!(place.power("one").await, "PowerState/deallocated");
    for action in ["redeploy", "restart", "simulateEviction"] {
        let refused = place
            .sim
            .post(
                &place.compute(&format!("virtualMachines/one/{action}")),
                &json!({}),
            )
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::CONFLICT, "OperationNotAllowed"),
            "{action}"
        );
    }

    body["properties"]["networkProfile"]["networkInterfaces"][0]["id"] = second.into();
    body["properties"]["storageProfile"]["osDisk"]["name"] = "os-two".into();
    body["properties"]["priority"] = "Spot".into();
    body["properties"]["osProfile"]["computerName"] = "not_a_host".into();
    let path = place.compute("virtualMachines/two");
    let refused = place.sim.put(&path, &body).await;
    assert_eq!(refused.code(), "InvalidParameter", "{}", refused.body);
    body["properties"]["osProfile"]["computerName"] = "two".into();
    let put = place.sim.put(&path, &body).await;
    place.done(put).await;
    let evicted = place
        .sim
        .post(
            &place.compute("virtualMachines/two/simulateEviction"),
            &json!({}),
        )
        .await;
    assert_eq!(evicted.status, StatusCode::NO_CONTENT, "{}", evicted.body);
    place.sim.settled(&path).await;
    assert_eq!(place.power("two").await, "PowerState/deallocated");
}
