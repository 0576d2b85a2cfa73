//! `roleDefinitions('Contributor')`: Azure's built-in roles by their names. Sources: Bicep 0.42 introduced the function
//! (<https://github.com/Azure/bicep/pull/18457>); names and ids, the same in every tenant, stand in
//! <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>. Here are those that templates of machines, networks,
//! clusters, stores and keys assign.

use serde_json::{Value, json};

use super::{Args, Fault, Function, Unknowns, pure, wrong};

pub(super) static TABLE: &[Function] = &[pure(
    "roleDefinitions",
    1,
    1,
    Unknowns::Deep,
    role_definitions,
)];

/// `id` is the tenant's form of the id, which a role assignment at every scope takes; `roleDefinitionId` is the bare one.
fn role_definitions(args: Vec<Value>) -> Result<Value, Fault> {
    let wanted = Args::new(args).string()?;
    let Some((_, id)) = BUILT_IN_ROLES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&wanted))
    else {
        return wrong(format!(
            "no built-in role `{wanted}` is known here; give the role by its id, with subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '<id>')"
        ));
    };
    Ok(json!({
        "id": format!("/providers/Microsoft.Authorization/roleDefinitions/{id}"),
        "roleDefinitionId": id,
    }))
}

/// Name and id of the built-in roles that are known here, sorted by name.
pub const BUILT_IN_ROLES: &[(&str, &str)] = &[
    ("AcrDelete", "c2f4ef07-c644-48eb-af81-4b1b4947fb11"),
    ("AcrImageSigner", "6cef56e8-d556-48e5-a04f-b8e64114680f"),
    ("AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d"),
    ("AcrPush", "8311e382-0749-4cb8-b61a-304f252e45ec"),
    (
        "AcrQuarantineReader",
        "cdda3590-29a3-44f6-95f2-9f980659eb04",
    ),
    (
        "AcrQuarantineWriter",
        "c8d4ff99-41c3-41a8-9f60-21dfdad59608",
    ),
    (
        "App Configuration Data Owner",
        "5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b",
    ),
    (
        "App Configuration Data Reader",
        "516239f1-63e1-4d78-a4de-a74fb236a071",
    ),
    (
        "Automation Contributor",
        "f353d9bd-d4a6-484e-a77a-8050b599b867",
    ),
    (
        "Azure Event Hubs Data Owner",
        "f526a384-b230-433a-b45c-95f59c4a2dec",
    ),
    (
        "Azure Event Hubs Data Receiver",
        "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
    ),
    (
        "Azure Event Hubs Data Sender",
        "2b629674-e913-4c01-ae53-ef4638d8f975",
    ),
    (
        "Azure Kubernetes Fleet Manager RBAC Reader",
        "30b27cfc-9c84-438e-b0ce-70e35255df80",
    ),
    (
        "Azure Kubernetes Service Cluster Admin Role",
        "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
    ),
    (
        "Azure Kubernetes Service Cluster Monitoring User",
        "1afdec4b-e479-420e-99e7-f82237c7c5e6",
    ),
    (
        "Azure Kubernetes Service Cluster User Role",
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
    ),
    (
        "Azure Kubernetes Service Contributor Role",
        "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
    ),
    (
        "Azure Kubernetes Service RBAC Admin",
        "3498e952-d568-435e-9b2c-8d77e338d7f7",
    ),
    (
        "Azure Kubernetes Service RBAC Cluster Admin",
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
    ),
    (
        "Azure Kubernetes Service RBAC Reader",
        "7f6c6a51-bcf8-42ba-9220-52d62157d7db",
    ),
    (
        "Azure Kubernetes Service RBAC Writer",
        "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
    ),
    (
        "Azure Service Bus Data Owner",
        "090c5cfd-751d-490a-894a-3ce6f1109419",
    ),
    (
        "Azure Service Bus Data Receiver",
        "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    ),
    (
        "Azure Service Bus Data Sender",
        "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    ),
    ("Backup Contributor", "5e467623-bb1f-42f4-a55d-6e525e11384b"),
    ("Backup Operator", "00c29273-979b-4161-815c-10b084fb9324"),
    ("Backup Reader", "a795c7a0-d4a2-40c1-ae25-d81f01202912"),
    (
        "Cognitive Services Contributor",
        "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
    ),
    (
        "Cognitive Services OpenAI Contributor",
        "a001fd3d-188f-4b5d-821b-7da978bf7442",
    ),
    (
        "Cognitive Services OpenAI User",
        "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    ),
    (
        "Cognitive Services User",
        "a97b65f3-24c7-4388-baec-2e87135dc908",
    ),
    (
        "Compute Gallery Sharing Admin",
        "1ef6a3be-d0ac-425d-8c01-acb62866290b",
    ),
    ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    (
        "Data Operator for Managed Disks",
        "959f8984-c045-4866-89c7-12bf9737be2e",
    ),
    (
        "Desktop Virtualization Power On Contributor",
        "489581de-a3bd-480d-9518-53dea7416b33",
    ),
    (
        "Desktop Virtualization Virtual Machine Contributor",
        "a959dbd1-f747-45e3-8ba6-dd80f235f97c",
    ),
    ("DevTest Labs User", "76283e04-6283-4c54-8f91-bcf1374a3c64"),
    ("Disk Backup Reader", "3e5e47e6-65f7-47ef-90b5-e5dd4d455f24"),
    ("Disk Pool Operator", "60fc6e62-5479-42d4-8bf4-67625fcc2840"),
    (
        "Disk Restore Operator",
        "b50d9833-a0cb-478e-945f-707fcc997c13",
    ),
    (
        "Disk Snapshot Contributor",
        "7efff54f-a5b4-42b5-a1c5-5411624893ce",
    ),
    (
        "DNS Resolver Contributor",
        "0f2ebee7-ffd4-4fc0-b3b7-664099fdad5d",
    ),
    (
        "DNS Zone Contributor",
        "befefa01-2a29-4197-83a8-272ff33ce314",
    ),
    (
        "Key Vault Administrator",
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    ),
    (
        "Key Vault Certificate User",
        "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    ),
    (
        "Key Vault Certificates Officer",
        "a4417e6f-fecd-4de8-b567-7b0420556985",
    ),
    (
        "Key Vault Contributor",
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
    ),
    (
        "Key Vault Crypto Officer",
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
    ),
    (
        "Key Vault Crypto Service Encryption User",
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    ),
    (
        "Key Vault Crypto User",
        "12338af0-0e69-4776-bea7-57ae8d297424",
    ),
    ("Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2"),
    (
        "Key Vault Secrets Officer",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    ),
    (
        "Key Vault Secrets User",
        "4633458b-17de-408a-b874-0445c86b69e6",
    ),
    (
        "Log Analytics Contributor",
        "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
    ),
    (
        "Log Analytics Reader",
        "73c42c96-874c-492b-b04d-ab87d138a893",
    ),
    (
        "Logic App Contributor",
        "87a39d53-fc1b-424a-814c-f7e04687dc9e",
    ),
    ("Logic App Operator", "515c2055-d9d4-4321-b1b9-bd0c9a0f79fe"),
    (
        "Managed Application Contributor Role",
        "641177b8-a67a-45b9-a033-47bc880bb21e",
    ),
    (
        "Managed Application Operator Role",
        "c7393b34-138c-406f-901b-d8cf2b17e6ae",
    ),
    (
        "Managed Identity Contributor",
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    ),
    (
        "Managed Identity Operator",
        "f1a07417-d97a-45cb-824c-7a7467783830",
    ),
    (
        "Monitoring Contributor",
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
    ),
    (
        "Monitoring Metrics Publisher",
        "3913510d-42f4-4e42-8a64-420c390055eb",
    ),
    ("Monitoring Reader", "43d0d8ad-25c7-4714-9337-8ba259a9fe05"),
    (
        "Network Contributor",
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
    ),
    ("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    (
        "Private DNS Zone Contributor",
        "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    ),
    ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    (
        "Reader and Data Access",
        "c12c1c16-33a1-487b-954d-41c89c60f349",
    ),
    (
        "Resource Policy Contributor",
        "36243c78-bf99-498c-9df9-86d9f8d28608",
    ),
    (
        "Role Based Access Control Administrator",
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    ),
    (
        "Search Index Data Contributor",
        "8ebe5a00-799e-43f5-93ac-243d3dce84a7",
    ),
    (
        "Search Index Data Reader",
        "1407120a-92aa-4202-b7e9-c0e197c71c8f",
    ),
    (
        "Search Service Contributor",
        "7ca78c08-252a-4471-8644-bb5ff32d4ba0",
    ),
    ("Security Admin", "fb1c8493-542b-48eb-b624-b4c8fea62acd"),
    ("Security Reader", "39bc4728-0917-49c7-9d2c-d95423bc2eb4"),
    ("SQL DB Contributor", "9b7fa17d-e63e-47b0-bb0a-15c516ac86ec"),
    (
        "SQL Managed Instance Contributor",
        "4939a1f6-9ae0-4e48-a1e0-f2cbe897382d",
    ),
    (
        "SQL Security Manager",
        "056cd41c-7e88-42e1-933e-88ba6a50c9c3",
    ),
    (
        "SQL Server Contributor",
        "6d8ee4ec-f05a-4a1d-8b00-a9b17e38b437",
    ),
    (
        "Storage Account Backup Contributor",
        "e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1",
    ),
    (
        "Storage Account Contributor",
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
    ),
    (
        "Storage Account Key Operator Service Role",
        "81a9662b-bebf-436f-a333-f67b29880f12",
    ),
    (
        "Storage Blob Data Contributor",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    ),
    (
        "Storage Blob Data Owner",
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    ),
    (
        "Storage Blob Data Reader",
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    ),
    (
        "Storage Blob Delegator",
        "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    ),
    (
        "Storage File Data Privileged Contributor",
        "69566ab7-960f-475b-8e7c-b3118f30c6bd",
    ),
    (
        "Storage File Data Privileged Reader",
        "b8eda974-7b85-4f76-af95-65846b26df6d",
    ),
    (
        "Storage File Data SMB Share Contributor",
        "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb",
    ),
    (
        "Storage File Data SMB Share Elevated Contributor",
        "a7264617-510b-434b-a828-9731dc254ea7",
    ),
    (
        "Storage File Data SMB Share Reader",
        "aba4ae5f-2193-4029-9191-0cb91df5e314",
    ),
    (
        "Storage Queue Data Contributor",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    ),
    (
        "Storage Queue Data Message Processor",
        "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    ),
    (
        "Storage Queue Data Message Sender",
        "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    ),
    (
        "Storage Queue Data Reader",
        "19e7f393-937e-4f77-808e-94535e297925",
    ),
    (
        "Storage Table Data Contributor",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    ),
    (
        "Storage Table Data Reader",
        "76199698-9eea-4c19-bc75-cec21354c6b6",
    ),
    (
        "Traffic Manager Contributor",
        "a4b10055-b0c7-44c2-b00f-c7b5b3550cf7",
    ),
    (
        "User Access Administrator",
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    ),
    (
        "Virtual Machine Administrator Login",
        "1c0163c0-47e6-4577-8991-ea5c82e286e4",
    ),
    (
        "Virtual Machine Contributor",
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
    ),
    (
        "Virtual Machine Data Access Administrator (preview)",
        "66f75aeb-eabe-4b70-9f1e-c350c4c9ad04",
    ),
    (
        "Virtual Machine User Login",
        "fb879df8-f326-4884-b1cf-06f3ad86be52",
    ),
    (
        "VM Scanner Operator",
        "d24ecba3-c1f4-40fa-a7bb-4588a071e8fd",
    ),
    (
        "Web Plan Contributor",
        "2cc479cb-7b4d-49a8-b449-8c00fd0f0a4b",
    ),
    (
        "Website Contributor",
        "de139f84-1756-47ae-9be6-808fbbe84772",
    ),
];
