// Written by tools/tsgen from src/skerry/api/openapi.json: `make generate`, never by hand.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Accept
         * @description Create what was quoted, at the quoted price.
         */
        Accept: {
            /**
             * @description Its labels
             * @default {}
             */
            labels?: {
                [key: string]: string;
            };
            /** @description Name of the new resource */
            name: string;
            /**
             * @description Secret fields of its spec; a quote holds none
             * @default {}
             */
            secrets?: Record<string, never>;
        };
        /** AccountSpec */
        AccountSpec: {
            /**
             * @description What a post-paid tenant may owe; empty: any amount
             * @default
             */
            creditLimit?: string;
            /**
             * @description Whom its invoices are made out to
             * @default null
             */
            customer?: components["schemas"]["Customer"] | null;
            /**
             * @description Whether the tenant pays before it uses or after
             * @enum {unknown}
             */
            mode: "postpaid" | "prepaid";
        };
        /** AccountStatus */
        AccountStatus: {
            /**
             * @description What can still be set aside, before tax; empty: any
             * @default
             */
            available?: string;
            /**
             * @description What the tenant has; below zero: what it owes
             * @default
             */
            balance?: string;
            /**
             * @description Of all these amounts, ISO 4217
             * @default
             */
            currency?: string;
            /**
             * @description Out of money: until when its data is kept at least
             * @default
             */
            dataKeptUntil?: string;
            /**
             * @description Tax and commitments that were invoiced and not paid, beside it
             * @default
             */
            due?: string;
            /**
             * @description Set aside for what runs
             * @default
             */
            held?: string;
            /**
             * @description Out of money: what keeping its data costs an hour, uncharged
             * @default
             */
            keptPerHour?: string;
            /**
             * @description What runs now costs so much an hour
             * @default
             */
            perHour?: string;
            /**
             * @description funded or out-of-money
             * @default
             */
            phase?: string;
            /**
             * @description Cost this month so far
             * @default
             */
            thisMonth?: string;
        };
        AgreementDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["AgreementSpec"];
            status: components["schemas"]["AgreementStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        AgreementRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["AgreementSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** AgreementSpec */
        AgreementSpec: {
            /**
             * @description The least that a month's invoice comes to, before tax
             * @default
             */
            commitment?: string;
            /**
             * @description The first day it holds no more; empty: it goes on
             * @default
             */
            endsOn?: string;
            /**
             * @description So many units of the meter are free each month
             * @default
             */
            free?: string;
            /**
             * @description What it is about: cpu-hour
             * @default
             */
            meter?: string;
            /**
             * @description Such as a contract's number
             * @default
             */
            note?: string;
            /**
             * @description Of one unit of the meter, instead of the list's
             * @default
             */
            price?: string;
            /**
             * @description Only this sort, such as H100; empty: every one
             * @default
             */
            sku?: string;
            /** @description The first day it holds */
            startsOn: string;
        };
        /** AgreementStatus */
        AgreementStatus: {
            /**
             * @description future, current or past
             * @default
             */
            phase?: string;
            /**
             * @description What is agreed, in words
             * @default
             */
            words?: string;
        };
        /** @description For people and tools; echoed, never read by Skerry */
        Annotations: {
            [key: string]: string;
        } | null;
        /**
         * BackendSpec
         * @description A port of a task that answers.
         */
        BackendSpec: {
            /** @description The site, or site/host */
            at: string;
            /** @description The port it listens on */
            port: number;
            /**
             * @description Which of its tasks
             * @default 0
             */
            rank?: number;
            /** @description The workload's id at the site */
            workload: string;
        };
        BillingAccountDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["AccountSpec"];
            status: components["schemas"]["AccountStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        BillingAccountRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["AccountSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        BudgetDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["BudgetSpec"];
            status: components["schemas"]["BudgetStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        BudgetRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["BudgetSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** BudgetSpec */
        BudgetSpec: {
            /** @description The most that may be spent in a month */
            amount: string;
            /**
             * @description The tenant's; empty means the same
             * @default
             */
            currency?: string;
            /**
             * @description Percent of the amount at which to warn; 50, 80 and 100
             * @default [
             *       50,
             *       80,
             *       100
             *     ]
             */
            thresholds?: number[];
            /**
             * @description Only this workspace; empty: the whole tenant
             * @default
             */
            workspace?: string;
        };
        /** BudgetStatus */
        BudgetStatus: {
            /**
             * @description Of all these amounts, ISO 4217
             * @default
             */
            currency?: string;
            /**
             * @description Set aside for what runs
             * @default
             */
            held?: string;
            /**
             * @description What can still be set aside this month
             * @default
             */
            left?: string;
            /**
             * @description ok, warning or exhausted
             * @default
             */
            phase?: string;
            /**
             * @description Thresholds that spending has reached this month
             * @default []
             */
            reached?: number[];
            /**
             * @description This month
             * @default
             */
            spent?: string;
        };
        /**
         * CertificateStatus
         * @description How a host name is vouched for.
         */
        CertificateStatus: {
            /** @description The name */
            host: string;
            /**
             * @description When it ends
             * @default null
             */
            notAfter?: string | null;
            /**
             * @description Why the last try failed
             * @default
             */
            problem?: string;
            /** @description file, authority or acme */
            source: string;
            /** @description valid, waiting, failing or expired */
            state: string;
        };
        CohortDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["CohortSpec"];
            status: components["schemas"]["CohortStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        CohortRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["CohortSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * CohortSpec
         * @description Queues that lend to each other, and what belongs to them together.
         */
        CohortSpec: {
            /**
             * @description What any of its queues may borrow, beside their own
             * @default []
             */
            quotas?: components["schemas"]["Share"][];
        };
        /**
         * CohortStatus
         * @description What its queues use now. Computed when it is read.
         */
        CohortStatus: {
            /**
             * @description Its queues, as TENANT/NAME
             * @default []
             */
            queues?: string[];
            /**
             * @description All of them together
             * @default []
             */
            use?: components["schemas"]["UseStatus"][];
        };
        Condition: {
            /** Format: date-time */
            lastTransitionAt: string;
            message?: string;
            reason?: string;
            state: components["schemas"]["State"];
        };
        /**
         * Connect
         * @description A TCP port to connect to.
         */
        Connect: {
            /** @description The port */
            port: number;
            /**
             * @description Which copy, from 0
             * @default 0
             */
            rank?: number;
            /**
             * @description Of several that run: the replica's name
             * @default
             */
            replica?: string;
        };
        /**
         * Cost
         * @description So far; settled each minute and at the end.
         */
        Cost: {
            /** @description In 10^-9 of the currency unit */
            amountNano: number;
            /** @description ISO 4217 */
            currency: string;
        };
        CreditDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["CreditSpec"];
            status: components["schemas"]["CreditStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        /** CreditNoteSpec */
        CreditNoteSpec: {
            /**
             * @description Before tax; empty: all that is left of the invoice
             * @default
             */
            amount?: string;
            /** @description Printed on it */
            reason: string;
        };
        CreditRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["CreditSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** CreditSpec */
        CreditSpec: {
            /** @description How much */
            amount: string;
            /**
             * @description Such as a bank reference
             * @default
             */
            note?: string;
            /**
             * @description Money that came in, or a gift
             * @default payment
             * @enum {unknown}
             */
            source?: "payment" | "promo";
        };
        /** CreditStatus */
        CreditStatus: {
            /**
             * @description Its id in the ledger
             * @default
             */
            transfer?: string;
        };
        /** Customer */
        Customer: {
            /**
             * @description What the buyer wants to see: an order, a cost centre
             * @default
             */
            buyerReference?: string;
            /** @description With its district, where that is written */
            city: string;
            /** @description ISO 3166-1, such as DE */
            country: string;
            /**
             * @description Where invoices and questions go
             * @default
             */
            email?: string;
            /**
             * @description Such as a floor or a department
             * @default
             */
            extraLine?: string;
            /** @description As it is registered */
            legalName: string;
            /**
             * @description Days until an invoice is due
             * @default 14
             */
            paymentDays?: number;
            /**
             * @description Empty where there is none
             * @default
             */
            postalCode?: string;
            /**
             * @description Number in the company register, if there is one
             * @default
             */
            registration?: string;
            /** @description Street and number */
            street: string;
            /**
             * @description With its prefix, such as DE136695976; none: empty
             * @default
             */
            vatNumber?: string;
        };
        /**
         * Delivery
         * @description How far a notice is on its way to one address or webhook.
         */
        Delivery: {
            /**
             * @description How it travels
             * @enum {unknown}
             */
            channel: "mail" | "webhook";
            /**
             * @description folded: a digest will tell of it; listed: this cloud sends no mail, so it only stands here
             * @enum {unknown}
             */
            phase: "failed" | "folded" | "listed" | "sent" | "waiting";
            /**
             * @description What went wrong the last time
             * @default
             */
            problem?: string;
            /** @description The address, or the webhook's name */
            target: string;
            /**
             * @description How often it was tried
             * @default 0
             */
            tries?: number;
        };
        DomainDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["DomainSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        DomainRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["DomainSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** DomainSpec */
        DomainSpec: {
            /**
             * @description Why, for people
             * @default
             */
            note?: string;
        };
        /**
         * Drain
         * @description Ask what runs there to move.
         */
        Drain: {
            /**
             * @description Until when it should be empty; then it alerts
             * @default 60
             */
            minutes?: number;
        };
        /**
         * Entry
         * @description One tenant that the issuer lets people into.
         */
        Entry: {
            /**
             * @description Mail domains it speaks for there: who has such a verified address is taken for the user of that address
             * @default []
             */
            domains?: string[];
            /**
             * @description Roles that such new users get
             * @default []
             */
            roles?: string[];
            /** @description The tenant, or * for each but the operator's */
            tenant: string;
            /**
             * @description Whether who is not known yet needs an invitation or becomes a user
             * @default invitation
             * @enum {unknown}
             */
            unknown?: "create" | "invitation";
        };
        /**
         * Exec
         * @description A command to run beside it, with its rights and within its limits.
         */
        Exec: {
            /**
             * @description The terminal's width
             * @default 80
             */
            columns?: number;
            /** @description Program and arguments, no shell */
            command: string[];
            /**
             * @description Which copy, from 0
             * @default 0
             */
            rank?: number;
            /**
             * @description Of several that run: the replica's name
             * @default
             */
            replica?: string;
            /**
             * @description The terminal's height
             * @default 24
             */
            rows?: number;
            /**
             * @description Whether it gets a terminal
             * @default false
             */
            tty?: boolean;
        };
        /**
         * GpuOffer
         * @description Devices of one model in a pool.
         */
        GpuOffer: {
            /** @description How many there are */
            count: number;
            /**
             * @description Their UUIDs, where they can be given by name
             * @default []
             */
            devices?: string[];
            /**
             * @description Of parts of devices: what of the model says so
             * @default
             */
            mark?: string;
            /**
             * @description Bytes on each; unknown if left out
             * @default null
             */
            memory?: number | null;
            /** @description As its maker calls it */
            model: string;
            /**
             * @description Which are there but not sold, and why
             * @default
             */
            out?: string;
            /**
             * @description For one, for an hour
             * @default null
             */
            price?: string | null;
        };
        /**
         * Health
         * @description How its host finds out whether it takes requests.
         */
        Health: {
            /**
             * @description Run in it, and expected to exit with 0
             * @default []
             */
            command?: string[];
            /**
             * @description Seconds between two checks
             * @default 2
             */
            every?: number;
            /**
             * @description Failed checks in a row that make it unready
             * @default 3
             */
            failures?: number;
            /**
             * @description Ask for it by HTTP, and expect a status below 400
             * @default
             */
            path?: string;
            /**
             * @description Connect there; 0: run the command instead
             * @default 0
             */
            port?: number;
            /**
             * @description Whether it is then started anew
             * @default false
             */
            restart?: boolean;
            /**
             * @description Seconds after its start without such restarts
             * @default 60
             */
            start?: number;
            /**
             * @description Seconds that a check may take
             * @default 2
             */
            timeout?: number;
        };
        /**
         * Held
         * @description What is still there of one resource.
         */
        Held: {
            /** @description Whose it is */
            resource: string;
            /** @description How many workloads */
            workloads: number;
        };
        HostDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["HostSpec"];
            status: components["schemas"]["HostStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        HostRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["HostSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** HostSpec */
        HostSpec: {
            /**
             * @description Place nothing new there
             * @default false
             */
            cordoned?: boolean;
        };
        /** HostStatus */
        HostStatus: {
            /**
             * @description Of its agent
             * @default
             */
            agentVersion?: string;
            /**
             * @description Cores, memory and devices, and what is free of them
             * @default {}
             */
            capacity?: Record<string, never>;
            /**
             * @description When its certificate expires, unless it renews it before
             * @default
             */
            certificateExpiresAt?: string;
            /**
             * @description How far its clock is ahead of the cloud's; negative: behind
             * @default 0
             */
            clockAheadSeconds?: number;
            /**
             * @description Until when it should be empty
             * @default
             */
            drainUntil?: string;
            /**
             * @description Engine to its version, or why it can't be used
             * @default {}
             */
            engines?: {
                [key: string]: string;
            };
            /**
             * @description When it was last in contact
             * @default
             */
            lastSeenAt?: string;
            /**
             * @description new, connected, silent, unreachable, cordoned, draining or drained
             * @default new
             */
            phase?: string;
            /**
             * @description Workloads found there that this cloud never made; they are left alone
             * @default []
             */
            unknownWorkloads?: string[];
            /**
             * @description What is there, by whose it is
             * @default []
             */
            workloads?: components["schemas"]["Held"][];
        };
        /**
         * Input
         * @description A file that is there when it starts.
         */
        Input: {
            /** @description A blob put into the workspace */
            digest: string;
            /**
             * @description Its permissions
             * @default 420
             */
            mode?: number;
            /** @description Below the working directory, no '..' */
            path: string;
            /**
             * @description Its size in bytes
             * @default 0
             */
            size?: number;
        };
        /**
         * InstanceOffer
         * @description Sold in whole instances of one type. What is left out is unknown.
         */
        InstanceOffer: {
            /** @description How many there are */
            count: number;
            /**
             * @description Bytes
             * @default null
             */
            disk?: number | null;
            /**
             * @description Bytes on each
             * @default null
             */
            gpuMemory?: number | null;
            /**
             * @description Their model
             * @default
             */
            gpuModel?: string;
            /**
             * @description In each
             * @default null
             */
            gpus?: number | null;
            /** @description As its operator calls it */
            instanceType: string;
            /**
             * @description Bytes
             * @default null
             */
            memory?: number | null;
            /**
             * @description Thousandths of a core
             * @default null
             */
            millicores?: number | null;
            /**
             * @description For one, for an hour
             * @default null
             */
            price?: string | null;
            /**
             * @description While it may be taken back at any time
             * @default null
             */
            spotPrice?: string | null;
        };
        InvitationDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["InvitationSpec"];
            status: components["schemas"]["InvitationStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        InvitationRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["InvitationSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** InvitationSpec */
        InvitationSpec: {
            /**
             * @description Name for people
             * @default
             */
            displayName?: string;
            /** @description Who is invited: their address */
            email: string;
            /**
             * @description Roles that they get
             * @default []
             */
            roles?: string[];
            /**
             * @description Seconds for which the link works
             * @default 604800
             */
            ttlSeconds?: number;
            /**
             * @description The user's name; by default made of the address
             * @default
             */
            userName?: string;
            /**
             * @description Where the roles count; all if none
             * @default []
             */
            workspaces?: string[];
        };
        /** InvitationStatus */
        InvitationStatus: {
            /**
             * @description Until when the link works
             * @default
             */
            expiresAt?: string;
            /**
             * @description invited, accepted or expired
             * @default invited
             */
            phase?: string;
            /**
             * @description Who accepted it
             * @default
             */
            user?: string;
        };
        /**
         * Invite
         * @description A token to join by.
         */
        Invite: {
            /**
             * @description The only name it is good for: needed to join anew under a name in use
             * @default
             */
            host?: string;
            /**
             * @description How long it is good
             * @default 60
             */
            minutes?: number;
        };
        InvoiceDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["InvoiceSpec"];
            status: components["schemas"]["InvoiceStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        /**
         * InvoiceSpec
         * @description A month's bill is what was used in the month it is named after; what was issued has a number,
         *         and is named after that.
         */
        InvoiceSpec: {
            /**
             * @description Of an issued one
             * @default
             */
            number?: string;
        };
        /** InvoiceStatus */
        InvoiceStatus: {
            /**
             * @description When it was computed or closed
             * @default
             */
            asOf?: string;
            /**
             * @description Of a credit note: the invoice
             * @default
             */
            corrects?: string;
            /**
             * @description Of all these amounts, ISO 4217
             * @default
             */
            currency?: string;
            /**
             * @description The last day on which it is paid in time
             * @default
             */
            dueOn?: string;
            /**
             * @description Before it was rounded to whole cents
             * @default
             */
            exact?: string;
            /**
             * @description The day it was issued
             * @default
             */
            issuedOn?: string;
            /**
             * @description How many lines it has
             * @default 0
             */
            lines?: number;
            /**
             * @description Of an issued one: before tax
             * @default
             */
            net?: string;
            /**
             * @description Its number, once it is closed or issued
             * @default
             */
            number?: string;
            /**
             * @description Of an issued one: what is still to be paid
             * @default
             */
            open?: string;
            /**
             * @description The month, such as 2026-11
             * @default
             */
            period?: string;
            /**
             * @description A bill: draft, closed or issued; an invoice: open, overdue, paid or credited; a credit note: issued
             * @default
             */
            phase?: string;
            /**
             * @description What is owed: with tax, once it is issued
             * @default
             */
            total?: string;
            /**
             * @description bill (of a month), invoice or credit-note
             * @default
             */
            type?: string;
            /**
             * @description Of an issued one: the tax
             * @default
             */
            vat?: string;
        };
        /** IssueSpec */
        IssueSpec: {
            /**
             * @description Only say what would be issued
             * @default false
             */
            draft?: boolean;
            /** @description The month, such as 2026-10 */
            period: string;
        };
        IssuerDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["IssuerSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        IssuerRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["IssuerSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** IssuerSpec */
        IssuerSpec: {
            /**
             * @description By which it knows this cloud; none: programs only
             * @default
             */
            clientId?: string;
            /**
             * @description What it gave us beside the client id, if anything
             * @default
             */
            clientSecret?: string;
            /**
             * @description Name for people
             * @default
             */
            displayName?: string;
            /**
             * @description Which claim has the mail address
             * @default email
             */
            emailClaim?: string;
            /**
             * @description Of which claim a new user's name is made
             * @default preferred_username
             */
            nameClaim?: string;
            /**
             * @description Asked of it beside openid; email, profile
             * @default []
             */
            scopes?: string[];
            /**
             * @description Where it may let people in
             * @default []
             */
            tenants?: components["schemas"]["Entry"][];
            /** @description Its issuer identifier, exactly as its tokens call it: https://… */
            url: string;
        };
        JobDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["JobSpec"];
            status: components["schemas"]["JobStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        JobRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: components["schemas"]["JobSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * JobSpec
         * @description A command, what it needs, and what is kept of it.
         */
        JobSpec: {
            /**
             * @description Files kept of it, as globs
             * @default []
             */
            artifacts?: string[];
            /**
             * @description Program and arguments, no shell; empty: the image's
             * @default []
             */
            command?: string[];
            /**
             * @description Copies, started together or not at all
             * @default 1
             */
            count?: number;
            /**
             * @description Writable space of each copy in bytes
             * @default 1073741824
             */
            disk?: number;
            /**
             * @description Environment variables
             * @default {}
             */
            env?: {
                [key: string]: string;
            };
            /**
             * @description Only this model
             * @default
             */
            gpuModel?: string;
            /**
             * @description GPUs of each copy
             * @default 0
             */
            gpus?: number;
            /**
             * @description Seconds between asking it to end and ending it
             * @default 10
             */
            grace?: number;
            /**
             * @description Image of a registry, or blob:sha256:… of an archive; empty: the host's
             * @default
             */
            image?: string;
            /**
             * @description Secret with username and password for the registry
             * @default
             */
            imageSecret?: string;
            /**
             * @description Files put into its directory
             * @default []
             */
            inputs?: components["schemas"]["Input"][];
            /**
             * @description What separates it from others
             * @default sandbox
             * @enum {unknown}
             */
            isolation?: "process" | "sandbox" | "vm";
            /**
             * @description Memory of each copy in bytes
             * @default 536870912
             */
            memory?: number;
            /**
             * @description CPU of each copy in thousandths of a core
             * @default 1000
             */
            millicores?: number;
            /**
             * @description Whether it may reach the outside
             * @default false
             */
            network?: boolean;
            /**
             * @description Ports that it listens on
             * @default []
             */
            ports?: number[];
            /**
             * @description It may be ended for others, at a lower price, and is run again
             * @default false
             */
            preemptible?: boolean;
            /**
             * @description How urgent it is; the class decides its turn
             * @default
             */
            priorityClass?: string;
            /**
             * @description Only in this region
             * @default
             */
            region?: string;
            /**
             * @description Python packages it needs, as pip's requirements
             * @default
             */
            requirements?: string;
            /**
             * @description How often it is run again if it fails
             * @default 0
             */
            retries?: number;
            /**
             * @description A volume of its own for checkpoints, kept until the job is deleted
             * @default null
             */
            scratch?: components["schemas"]["Scratch"] | null;
            /**
             * @description Environment variables never shown again
             * @default null
             */
            secretEnv?: {
                [key: string]: string;
            } | null;
            /**
             * @description Secrets that it is given
             * @default []
             */
            secrets?: components["schemas"]["SecretRef"][];
            /**
             * @description Only at this site, host or node: SITE/NODE
             * @default
             */
            site?: string;
            /**
             * @description Seconds it may run; 0 is no limit
             * @default 0
             */
            timeLimit?: number;
            /**
             * @description How near together its copies go: host, link (NVLink), rack or zone
             * @default
             * @enum {unknown}
             */
            topology?: "" | "host" | "link" | "rack" | "zone";
            /**
             * @description Whether it waits for such a place; else it is only preferred
             * @default false
             */
            topologyRequired?: boolean;
            /**
             * @description Volumes that it mounts
             * @default []
             */
            volumes?: components["schemas"]["VolumeUse"][];
        };
        /** JobStatus */
        JobStatus: {
            /**
             * @description Which run this is, from 1
             * @default 0
             */
            attempt?: number;
            /**
             * @description What it cost so far
             * @default null
             */
            cost?: components["schemas"]["Cost"] | null;
            /**
             * @description Id of the decision that placed it
             * @default
             */
            decision?: string;
            /**
             * @description When its last process ended
             * @default null
             */
            endedAt?: string | null;
            /**
             * @description What runs its processes there
             * @default
             */
            engine?: string;
            /**
             * @description Exit code of its command
             * @default null
             */
            exitCode?: number | null;
            /**
             * @description Digest of the image it runs in
             * @default
             */
            image?: string;
            /**
             * @description What separates it from others
             * @default
             */
            isolation?: string;
            /**
             * @description Id of its lease
             * @default
             */
            lease?: string;
            /**
             * @description Why it is so, in words
             * @default
             */
            message?: string;
            /**
             * @description How far it is
             * @default queued
             * @enum {unknown}
             */
            phase?: "cancelled" | "failed" | "queued" | "running" | "starting" | "succeeded";
            /**
             * @description Where it runs or ran
             * @default null
             */
            place?: components["schemas"]["Place"] | null;
            /**
             * @description Price of an hour, in 10^-9 of the currency unit
             * @default null
             */
            pricePerHourNano?: number | null;
            /**
             * @description Where it stands in its queue
             * @default null
             */
            queue?: components["schemas"]["Waits"] | null;
            /**
             * @description Why it is so, in a word
             * @default
             */
            reason?: string;
            /**
             * @description When its first process started
             * @default null
             */
            startedAt?: string | null;
            /**
             * @description Its copies
             * @default []
             */
            tasks?: components["schemas"]["Task"][];
        };
        /** @description For selecting; at most 256 */
        Labels: {
            [key: string]: string;
        } | null;
        LeaseDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["LeaseSpec"];
            status: components["schemas"]["LeaseStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        /**
         * LeaseSpec
         * @description Frozen terms.
         */
        LeaseSpec: {
            /** @description Of its price, ISO 4217 */
            currency: string;
            /**
             * Format: uuid
             * @description Id of the decision that placed it
             */
            decision: string;
            /** @description What the price is made of */
            lines: components["schemas"]["Lines"][];
            /**
             * @description Warning before it is taken back
             * @default 0
             */
            noticeSeconds?: number;
            /** @description Where it is */
            place: components["schemas"]["PlaceStatus"];
            /** @description Versions of the policies it was made under */
            policies: string[];
            /** @description Price of an hour, in nano */
            pricePerHourNano: number;
            /**
             * @description Version of the price list it was made under
             * @default 0
             */
            priceVersion?: number;
            /**
             * @description Machine by machine, and device by device
             * @default []
             */
            shares?: components["schemas"]["ShareStatus"][];
            /** @description What it is for */
            subject: string;
        };
        /** LeaseStatus */
        LeaseStatus: {
            /**
             * @description Charged so far
             * @default null
             */
            costNano?: number | null;
            /**
             * @description When it is taken back
             * @default null
             */
            drainsUntil?: string | null;
            /**
             * @description When its meters ended
             * @default null
             */
            endedAt?: string | null;
            /**
             * @description reserved, active, draining or closed
             * @default active
             */
            phase?: string;
            /**
             * @description Why it was closed
             * @default
             */
            reason?: string;
            /**
             * @description When its meters started
             * @default null
             */
            startedAt?: string | null;
        };
        /**
         * LimitsSpec
         * @description What one route may take.
         */
        LimitsSpec: {
            /**
             * @description Most bytes of one request's body
             * @default 1073741824
             */
            body?: number;
            /**
             * @description Most requests at a time, waiting ones included
             * @default 1000
             */
            concurrent?: number;
            /**
             * @description Seconds until an answer must begin
             * @default 300
             */
            timeout?: number;
        };
        /**
         * Lines
         * @description One part of a price.
         */
        Lines: {
            /** @description Price of this part for an hour, in nano */
            amountNano: number;
            /** @description What is counted */
            meter: string;
            /** @description How much of the quantity the unit price is for */
            per: number;
            /** @description For all copies: thousandths of the thing, or MiB */
            quantity: number;
            /**
             * @description The variant of it that has this price, such as a GPU model
             * @default
             */
            sku?: string;
            /** @description Price of that for an hour, in nano */
            unitPriceNano: number;
        };
        ListMetadata: {
            /** @description There are more than total says */
            more?: boolean;
            provider: string;
            resource: string;
            /** @description Where the next page starts; absent on the last one */
            skipToken?: string;
            /** @description How many there are in all, if that was asked by one who may see all */
            total?: number;
            verb: string;
        };
        MaintenanceDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["MaintenanceSpec"];
            status: components["schemas"]["MaintenanceStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        MaintenanceRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["MaintenanceSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * MaintenanceSpec
         * @description When, of what, and what becomes of what runs there.
         */
        MaintenanceSpec: {
            /**
             * Format: date-time
             * @description When it ends: then the place is offered again
             */
            end: string;
            /**
             * @description Hosts of the site; the whole site if none is named
             * @default []
             */
            hosts?: string[];
            /**
             * @description How long before the start tenants are told, and nothing new is placed
             * @default 3600
             */
            noticeSeconds?: number;
            /**
             * @description What becomes of what runs there: it is only warned; pods and services move, and jobs with a checkpoint at the start; or all ends at the start, to be started anew elsewhere
             * @default move
             * @enum {unknown}
             */
            policy?: "end" | "move" | "warn";
            /**
             * @description What tenants are told of it
             * @default
             */
            reason?: string;
            /**
             * Format: date-time
             * @description When it begins, as 2026-12-01T02:00:00Z
             */
            start: string;
        };
        /** MaintenanceStatus */
        MaintenanceStatus: {
            /**
             * @description How many jobs and pods are still there
             * @default 0
             */
            left?: number;
            /**
             * @description How far it is
             * @default planned
             * @enum {unknown}
             */
            phase?: "announced" | "over" | "planned" | "under-way";
            /**
             * @description How many tenants were told
             * @default 0
             */
            told?: number;
        };
        /** @description Set by Skerry; what a client sends is ignored, but for region. */
        Metadata: {
            apiVersion: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            deletedAt?: string;
            kind: string;
            /** Format: date-time */
            lastModifiedAt: string;
            name: string;
            /** @description Made by another resource, and deleted with it; absent where a client put it */
            owned?: boolean;
            provider: string;
            ref: string;
            region?: string;
            resource: string;
            resourceVersion: number;
            tenant?: string;
            verb: string;
            workspace?: string;
        };
        /**
         * NearStatus
         * @description A refused offer that came near, and what stands against it.
         */
        NearStatus: {
            /**
             * @description Whose law holds there
             * @default
             */
            jurisdiction?: string;
            /** @description The offer */
            offer: string;
            /**
             * @description Its price, in nano
             * @default null
             */
            pricePerHourNano?: number | null;
            /** @description What stands against it */
            why: string[];
        };
        /**
         * NotebookCost
         * @description What it costs, with all that it owns.
         */
        NotebookCost: {
            /** @description So far, in 10^-9 of the currency unit */
            amountNano: number;
            /** @description ISO 4217 */
            currency: string;
            /** @description An hour as it is now; 0 while it is stopped */
            perHourNano: number;
        };
        NotebookDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["NotebookSpec"];
            status: components["schemas"]["NotebookStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        NotebookRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: components["schemas"]["NotebookSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * NotebookSecret
         * @description One value of a secret, as a variable or as a file.
         */
        NotebookSecret: {
            /**
             * @description Variable to set
             * @default
             */
            env?: string;
            /** @description Which of its values */
            key: string;
            /**
             * @description File to put it in, absolute
             * @default
             */
            path?: string;
            /** @description The secret, in the same workspace */
            secret: string;
            /**
             * @description Which version; 0: the current one
             * @default 0
             */
            version?: number;
        };
        /**
         * NotebookSpec
         * @description What JupyterLab runs on, and what it is given.
         */
        NotebookSpec: {
            /**
             * @description Writable space in bytes, beside its volumes
             * @default 0
             */
            disk?: number;
            /**
             * @description Environment variables
             * @default {}
             */
            env?: {
                [key: string]: string;
            };
            /**
             * @description Only this model
             * @default
             */
            gpuModel?: string;
            /**
             * @description GPUs
             * @default 0
             */
            gpus?: number;
            /**
             * @description Seconds without use until it stops; 0: never
             * @default 1800
             */
            idle?: number;
            /**
             * @description Image that has JupyterLab 4; empty: Skerry brings it
             * @default
             */
            image?: string;
            /**
             * @description Secret with username and password for the registry
             * @default
             */
            imageSecret?: string;
            /**
             * @description What separates it from others
             * @default sandbox
             * @enum {unknown}
             */
            isolation?: "sandbox" | "vm";
            /**
             * @description Memory in bytes, kernels included
             * @default 1073741824
             */
            memory?: number;
            /**
             * @description CPU in thousandths of a core
             * @default 1000
             */
            millicores?: number;
            /**
             * @description Whether it may reach the outside
             * @default false
             */
            network?: boolean;
            /**
             * @description Only in this region
             * @default
             */
            region?: string;
            /**
             * @description Python packages beside JupyterLab's, as for pip
             * @default
             */
            requirements?: string;
            /**
             * @description Environment variables never shown again
             * @default null
             */
            secretEnv?: {
                [key: string]: string;
            } | null;
            /**
             * @description Secrets that it is given
             * @default []
             */
            secrets?: components["schemas"]["NotebookSecret"][];
            /**
             * @description Only at this site, or at this host: SITE/HOST
             * @default
             */
            site?: string;
            /**
             * @description Volume that keeps its files; none: they go at each stop
             * @default
             */
            volume?: string;
            /**
             * @description Volumes beside its own
             * @default []
             */
            volumes?: components["schemas"]["NotebookVolume"][];
        };
        /** NotebookStatus */
        NotebookStatus: {
            /**
             * @description What it costs
             * @default null
             */
            cost?: components["schemas"]["NotebookCost"] | null;
            /**
             * @description Why it is so, in words
             * @default
             */
            message?: string;
            /**
             * @description How it is
             * @default starting
             * @enum {unknown}
             */
            phase?: "failed" | "running" | "starting" | "stopped" | "stopping";
            /**
             * @description Why it is so, in a word
             * @default
             */
            reason?: string;
            /**
             * @description Where it runs
             * @default
             */
            site?: string;
            /**
             * @description When it started last
             * @default null
             */
            startedAt?: string | null;
            /**
             * @description Where it is, for whoever may enter
             * @default
             */
            url?: string;
        };
        /**
         * NotebookVolume
         * @description A volume beside its own.
         */
        NotebookVolume: {
            /** @description Name of the volume */
            name: string;
            /** @description Where it is mounted, absolute */
            path: string;
            /**
             * @description Whether it can only be read there
             * @default false
             */
            readOnly?: boolean;
        };
        NoticeDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["NoticeSpec"];
            status: components["schemas"]["NoticeStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        NoticePreferenceDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["PreferenceSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        NoticePreferenceRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["PreferenceSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** NoticeSpec */
        NoticeSpec: {
            /**
             * @description The same for programs
             * @default {}
             */
            facts?: Record<string, never>;
            /** @description In one line */
            subject: string;
            /**
             * @description In full
             * @default
             */
            text?: string;
            /** @description What it is about: invoice.issued */
            topic: string;
        };
        /** NoticeStatus */
        NoticeStatus: {
            /**
             * @description Whom it goes to
             * @default []
             */
            deliveries?: components["schemas"]["Delivery"][];
            /**
             * @description failed: at least one delivery was given up
             * @default listed
             * @enum {unknown}
             */
            phase?: "failed" | "listed" | "sending" | "sent";
        };
        OfferDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["OfferSpec"];
            status: components["schemas"]["OfferStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        OfferRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["OfferSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * OfferSpec
         * @description Capacity on sale at one place: a pool, or instances.
         */
        OfferSpec: {
            /**
             * @description Why nothing new is placed there; open if left out
             * @default
             */
            closed?: string;
            /** @description Of all its prices, ISO 4217 */
            currency: string;
            /**
             * @description Who vouches for these facts
             * @default declared
             * @enum {unknown}
             */
            evidence?: "declared" | "hardware" | "host";
            /**
             * @description Of a site with several hosts: which one
             * @default
             */
            host?: string;
            /**
             * @description Capacity sold in whole instances
             * @default null
             */
            instances?: components["schemas"]["InstanceOffer"] | null;
            /** @description By default only sandbox */
            isolations?: ("process" | "sandbox" | "vm")[];
            /**
             * @description ISO 3166-1 alpha-2; unknown if left out
             * @default
             */
            jurisdiction?: string;
            /**
             * @description Milliseconds
             * @default null
             */
            latency?: number | null;
            /**
             * @description The NVLink domain it is in
             * @default
             */
            link?: string;
            /**
             * @description Of a place with several machines: which one
             * @default
             */
            node?: string;
            /**
             * @description Seconds of warning before it is taken back
             * @default 0
             */
            notice?: number;
            /**
             * @description Who runs it
             * @default
             */
            operator?: string;
            /**
             * @description Capacity sold by amount
             * @default null
             */
            pool?: components["schemas"]["PoolOffer"] | null;
            /**
             * @description Of this cloud's price list
             * @default 0
             */
            priceVersion?: number;
            /**
             * @description The rack the node is in
             * @default
             */
            rack?: string;
            /**
             * @description Where it is: the region
             * @default
             */
            region?: string;
            /**
             * @description Who is paid, if not the operator
             * @default
             */
            seller?: string;
            /**
             * @description The site whose capacity it is
             * @default
             */
            site?: string;
            /**
             * @description Whether it may be taken back at any time
             * @default false
             */
            spot?: boolean;
            /**
             * @description Not sold for now
             * @default false
             */
            suspended?: boolean;
            /**
             * @description How far its operator is trusted, from 0 to 4
             * @default 0
             */
            trustTier?: number;
            /**
             * @description When it ends; never if left out
             * @default null
             */
            validUntil?: string | null;
            /**
             * @description Where it is: the zone
             * @default
             */
            zone?: string;
        };
        /**
         * OfferStatus
         * @description What of it is free now.
         */
        OfferStatus: {
            /**
             * @description What nobody has leased
             * @default {}
             */
            free?: Record<string, never>;
            /**
             * @description Grows with each change of what is free
             * @default 0
             */
            version?: number;
        };
        /**
         * Opened
         * @description The body of ``open``.
         */
        Opened: {
            /**
             * @description Where to go there
             * @default /
             */
            path?: string;
        };
        /**
         * Opening
         * @description The body of ``open``.
         */
        Opening: {
            /**
             * @description Where to go in JupyterLab
             * @default /lab
             */
            path?: string;
        };
        /** PaymentSpec */
        PaymentSpec: {
            /** @description What came in, with tax */
            amount: string;
            /**
             * @description The day; empty: today
             * @default
             */
            receivedOn?: string;
            /** @description Of the bank; the same is booked once */
            reference: string;
        };
        /** Permission */
        Permission: {
            /** @description Provider, with or without version: seca.storage/v1 */
            provider: string;
            /** @description Globs on the path below the workspace: instances/web-*, images, * */
            resources: string[];
            /** @description get, list, put, delete, post or post.<action>, in any case */
            verb: string[];
        };
        /**
         * Place
         * @description Where it runs, and on whose word.
         */
        Place: {
            /**
             * @description The host, at a site that has several
             * @default
             */
            host?: string;
            /**
             * @description Whose law holds there, ISO 3166-1 alpha-2
             * @default
             */
            jurisdiction?: string;
            /**
             * @description Of copies on several machines: what these share, such as rack r7
             * @default
             */
            near?: string;
            /**
             * @description The machine, where all copies are at one
             * @default
             */
            node?: string;
            /**
             * @description Who runs the site
             * @default
             */
            operator?: string;
            /**
             * @description Its region
             * @default
             */
            region?: string;
            /** @description The site */
            site: string;
            /**
             * @description Its zone
             * @default
             */
            zone?: string;
        };
        /**
         * PlaceStatus
         * @description Where it is, and on whose word.
         */
        PlaceStatus: {
            /**
             * @description Who vouches for these facts
             * @default declared
             * @enum {unknown}
             */
            evidence?: "declared" | "hardware" | "host";
            /**
             * @description Model of its devices
             * @default
             */
            gpuModel?: string;
            /**
             * @description Of a site with several hosts: which one
             * @default
             */
            host?: string;
            /**
             * @description What separates it from others
             * @default sandbox
             * @enum {unknown}
             */
            isolation?: "process" | "sandbox" | "vm";
            /**
             * @description Whose law holds there, ISO 3166-1 alpha-2
             * @default
             */
            jurisdiction?: string;
            /**
             * @description The NVLink domain it is in
             * @default
             */
            link?: string;
            /**
             * @description Of several machines: what they share, such as rack r7
             * @default
             */
            near?: string;
            /**
             * @description The machine, of a place with several
             * @default
             */
            node?: string;
            /** @description The offer that was taken */
            offer: string;
            /**
             * @description Who runs it
             * @default
             */
            operator?: string;
            /**
             * @description The rack it is in
             * @default
             */
            rack?: string;
            /**
             * @description The region
             * @default
             */
            region?: string;
            /**
             * @description The site
             * @default
             */
            site?: string;
            /**
             * @description Whether it may be taken back at any time
             * @default false
             */
            spot?: boolean;
            /**
             * @description How far its operator is trusted, from 0 to 4
             * @default 0
             */
            trustTier?: number;
            /**
             * @description The zone
             * @default
             */
            zone?: string;
        };
        PodDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["PodSpec"];
            status: components["schemas"]["PodStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        PodRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: components["schemas"]["PodSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * PodSpec
         * @description What runs, and how it is kept running.
         */
        PodSpec: {
            /**
             * @description Program and arguments, no shell; empty: the image's
             * @default []
             */
            command?: string[];
            /**
             * @description Writable space of each copy in bytes
             * @default 1073741824
             */
            disk?: number;
            /**
             * @description Environment variables
             * @default {}
             */
            env?: {
                [key: string]: string;
            };
            /**
             * @description Only this model
             * @default
             */
            gpuModel?: string;
            /**
             * @description GPUs of each copy
             * @default 0
             */
            gpus?: number;
            /**
             * @description Seconds between SIGTERM and SIGKILL
             * @default 10
             */
            grace?: number;
            /**
             * @description When it takes requests; none: as soon as it runs
             * @default null
             */
            health?: components["schemas"]["Health"] | null;
            /**
             * @description Image of a registry, or blob:sha256:… of an archive; empty: the host's
             * @default
             */
            image?: string;
            /**
             * @description Secret with username and password for the registry
             * @default
             */
            imageSecret?: string;
            /**
             * @description Files put into its directory
             * @default []
             */
            inputs?: components["schemas"]["Input"][];
            /**
             * @description What separates it from others
             * @default sandbox
             * @enum {unknown}
             */
            isolation?: "process" | "sandbox" | "vm";
            /**
             * @description Memory of each copy in bytes
             * @default 536870912
             */
            memory?: number;
            /**
             * @description CPU of each copy in thousandths of a core
             * @default 1000
             */
            millicores?: number;
            /**
             * @description Whether it may reach the outside
             * @default false
             */
            network?: boolean;
            /**
             * @description Seconds without word of its host until it is started elsewhere; 0: never
             * @default 120
             */
            patience?: number;
            /**
             * @description Ports that it listens on
             * @default []
             */
            ports?: number[];
            /**
             * @description Only in this region
             * @default
             */
            region?: string;
            /**
             * @description Python packages it needs, as pip's requirements
             * @default
             */
            requirements?: string;
            /**
             * @description Environment variables never shown again
             * @default null
             */
            secretEnv?: {
                [key: string]: string;
            } | null;
            /**
             * @description Secrets that it is given
             * @default []
             */
            secrets?: components["schemas"]["SecretRef"][];
            /**
             * @description Only at this site, host or node: SITE/NODE
             * @default
             */
            site?: string;
            /**
             * @description Volumes that it mounts
             * @default []
             */
            volumes?: components["schemas"]["VolumeUse"][];
        };
        /** PodStatus */
        PodStatus: {
            /**
             * @description What it cost so far
             * @default null
             */
            cost?: components["schemas"]["Cost"] | null;
            /**
             * @description Id of the decision that placed it
             * @default
             */
            decision?: string;
            /**
             * @description When its last process ended
             * @default null
             */
            endedAt?: string | null;
            /**
             * @description What runs its processes there
             * @default
             */
            engine?: string;
            /**
             * @description Digest of the image it runs in
             * @default
             */
            image?: string;
            /**
             * @description What separates it from others
             * @default
             */
            isolation?: string;
            /**
             * @description Id of its lease
             * @default
             */
            lease?: string;
            /**
             * @description Whether it must leave its place, and its service replaces it
             * @default false
             */
            leaving?: boolean;
            /**
             * @description Why it is so, in words
             * @default
             */
            message?: string;
            /**
             * @description How far it is
             * @default queued
             * @enum {unknown}
             */
            phase?: "failed" | "queued" | "running" | "starting" | "stopped";
            /**
             * @description Where it runs or ran
             * @default null
             */
            place?: components["schemas"]["Place"] | null;
            /**
             * @description Price of an hour, in 10^-9 of the currency unit
             * @default null
             */
            pricePerHourNano?: number | null;
            /**
             * @description Where it stands in its queue
             * @default null
             */
            queue?: components["schemas"]["Waits"] | null;
            /**
             * @description Whether it takes requests
             * @default false
             */
            ready?: boolean;
            /**
             * @description Why it is so, in a word
             * @default
             */
            reason?: string;
            /**
             * @description How often its host started it anew
             * @default 0
             */
            restarts?: number;
            /**
             * @description When its first process started
             * @default null
             */
            startedAt?: string | null;
            /**
             * @description Its copies
             * @default []
             */
            tasks?: components["schemas"]["Task"][];
            /**
             * @description Id of the workload at its site
             * @default
             */
            workload?: string;
        };
        PolicyDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["TenantPolicySpec"];
            status: components["schemas"]["PolicyStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        PolicyRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["TenantPolicySpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** PolicyStatus */
        PolicyStatus: {
            /**
             * @description What it allows, in words
             * @default
             */
            words?: string;
        };
        /**
         * PoolOffer
         * @description Sold by amount.
         */
        PoolOffer: {
            /**
             * @description For one core, for an hour
             * @default null
             */
            corePrice?: string | null;
            /**
             * @description Bytes
             * @default 0
             */
            disk?: number;
            /**
             * @description Devices, by model
             * @default []
             */
            gpus?: components["schemas"]["GpuOffer"][];
            /** @description Bytes */
            memory: number;
            /**
             * @description For one GiB, for an hour
             * @default null
             */
            memoryPrice?: string | null;
            /** @description Thousandths of a core */
            millicores: number;
            /**
             * @description For one GiB of a volume, for 30 days; it keeps none if left out
             * @default null
             */
            storagePrice?: string | null;
        };
        /** PreferenceSpec */
        PreferenceSpec: {
            /**
             * @description Who gets mail of these topics; nobody, if empty
             * @default []
             */
            emails?: string[];
            /**
             * @description Topics such as invoice.issued, all below one (invoice.*); all if none
             * @default []
             */
            topics?: string[];
        };
        /** PriceEntry */
        PriceEntry: {
            /** @description What is counted */
            meter: string;
            /** @description The price of one unit */
            price: string;
            /**
             * @description Only in this region
             * @default
             */
            region?: string;
            /**
             * @description Only at this site
             * @default
             */
            site?: string;
            /**
             * @description Only for this variant, such as a GPU model
             * @default
             */
            sku?: string;
            /** @description What the price is for, such as core-hour */
            unit: string;
        };
        PriceListDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["PriceListSpec"];
            status: components["schemas"]["PriceListStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        /** PriceListSpec */
        PriceListSpec: {
            /** @description Versions follow each other */
            version: number;
        };
        /** PriceListStatus */
        PriceListStatus: {
            /**
             * @description Of its prices, ISO 4217
             * @default
             */
            currency?: string;
            /**
             * @description From when on it holds for new leases
             * @default
             */
            effectiveAt?: string;
            /**
             * @description current, future or past
             * @default
             */
            phase?: string;
            /**
             * @description All of them
             * @default []
             */
            prices?: components["schemas"]["PriceEntry"][];
        };
        PriorityClassDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["PriorityClassSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        PriorityClassRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["PriorityClassSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * PriorityClassSpec
         * @description How urgent something is.
         */
        PriorityClassSpec: {
            /**
             * @description Seconds it is given to end when it must give way; longer than its grace
             * @default 30
             */
            notice?: number;
            /**
             * @description Whether others may be ended to make room for it
             * @default true
             */
            preempts?: boolean;
            /**
             * @description Who may use it; everybody if left out
             * @default []
             */
            tenants?: string[];
            /**
             * @description The higher, the sooner; none is 0
             * @default 0
             */
            value?: number;
        };
        Problem: {
            detail: string;
            hint?: string;
            instance: string;
            requestId: string;
            sources: {
                parameter?: string;
                pointer?: string;
            }[];
            status: number;
            title: string;
            type: string;
        };
        /**
         * Provider
         * @description An API of the region, as SECA clients look for it.
         */
        Provider: {
            /** @description Such as seca.compute */
            name: string;
            /** @description Where it is, without the version */
            url: string;
            /** @description Such as v1 */
            version: string;
        };
        QueueDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["QueueSpec"];
            status: components["schemas"]["QueueStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        QueueRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["QueueSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * QueueSpec
         * @description A tenant's share, and whom it lends to.
         */
        QueueSpec: {
            /**
             * @description Queues of one cohort lend each other what they do not use
             * @default
             */
            cohort?: string;
            /**
             * @description Seconds until what is free is kept for one that is passed over
             * @default 600
             */
            patience?: number;
            /**
             * @description Whether a higher priority ends a lower one of the same queue
             * @default lower-priority
             * @enum {unknown}
             */
            preempt?: "lower-priority" | "never";
            /**
             * @description Its shares; what is not named has no limit
             * @default []
             */
            quotas?: components["schemas"]["Share"][];
            /**
             * @description From whom it takes its nominal share back: who borrows of it
             * @default any
             * @enum {unknown}
             */
            reclaim?: "any" | "lower-priority" | "never";
            /**
             * @description How much it may borrow, beside others of its cohort
             * @default 1
             */
            weight?: number;
            /**
             * @description Workspaces that use it; by default all of the tenant
             * @default []
             */
            workspaces?: string[];
        };
        /**
         * QueueStatus
         * @description What of it is used now. Computed when it is read.
         */
        QueueStatus: {
            /**
             * @description How many are admitted
             * @default 0
             */
            admitted?: number;
            /**
             * @description Its shares
             * @default []
             */
            use?: components["schemas"]["UseStatus"][];
            /**
             * @description How many wait
             * @default 0
             */
            waiting?: number;
            /**
             * @description The same in words
             * @default
             */
            words?: string;
        };
        QuotaDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["QuotaSpec"];
            status: components["schemas"]["QuotaStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        QuotaRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["QuotaSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** QuotaSpec */
        QuotaSpec: {
            /** @description How many the tenant may have */
            most: number;
        };
        /** QuotaStatus */
        QuotaStatus: {
            /**
             * @description How many it has
             * @default 0
             */
            used?: number;
        };
        QuoteDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["QuoteSpec"];
            status: components["schemas"]["QuoteStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        QuoteRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec: components["schemas"]["QuoteSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * QuoteSpec
         * @description What is to be quoted: a resource as one would put it.
         */
        QuoteSpec: {
            /** @description Its noun, such as job */
            kind: string;
            /**
             * @description Its spec
             * @default {}
             */
            spec?: Record<string, never>;
        };
        /** QuoteStatus */
        QuoteStatus: {
            /**
             * @description What is agreed with the tenant and holds now, in words
             * @default []
             */
            agreed?: string[];
            /**
             * @description How many offers were looked at
             * @default 0
             */
            considered?: number;
            /**
             * @description Ref of what it was accepted as
             * @default
             */
            created?: string;
            /**
             * @description Of its price, ISO 4217
             * @default
             */
            currency?: string;
            /**
             * @description Id of the decision behind it
             * @default null
             */
            decision?: string | null;
            /**
             * @description What to do about a refusal
             * @default
             */
            hint?: string;
            /**
             * @description What the price is made of
             * @default []
             */
            lines?: components["schemas"]["Lines"][];
            /**
             * @description Why nothing was offered
             * @default
             */
            message?: string;
            /**
             * @description The most it can cost in all, if it has a time limit
             * @default null
             */
            mostNano?: number | null;
            /**
             * @description The refused offers that came nearest
             * @default []
             */
            nearest?: components["schemas"]["NearStatus"][];
            /**
             * @description offered, refused, expired or accepted
             * @default
             */
            phase?: string;
            /**
             * @description Where it would run
             * @default null
             */
            place?: components["schemas"]["PlaceStatus"] | null;
            /**
             * @description What the policies allow, in words
             * @default
             */
            policy?: string;
            /**
             * @description Price of an hour, in nano
             * @default null
             */
            pricePerHourNano?: number | null;
            /**
             * @description Refused offers by reason
             * @default {}
             */
            refused?: {
                [key: string]: number;
            };
            /**
             * @description Until when it can be accepted
             * @default null
             */
            validUntil?: string | null;
        };
        RedemptionDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["RedemptionSpec"];
            status: components["schemas"]["RedemptionStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        RedemptionRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["RedemptionSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** RedemptionSpec */
        RedemptionSpec: {
            /** @description As on the voucher */
            code: string;
        };
        /** RedemptionStatus */
        RedemptionStatus: {
            /**
             * @description What it was worth
             * @default
             */
            amount?: string;
            /**
             * @description Of the amount, ISO 4217
             * @default
             */
            currency?: string;
            /**
             * @description Why it failed
             * @default
             */
            message?: string;
            /**
             * @description redeemed, or failed
             * @default
             */
            phase?: string;
        };
        RegionDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["RegionSpec"];
        };
        /** RegionSpec */
        RegionSpec: {
            /** @description Zones that things can be placed in */
            availableZones: string[];
            /** @description APIs and where they are */
            providers: components["schemas"]["Provider"][];
        };
        /**
         * Replica
         * @description One pod.
         */
        Replica: {
            /**
             * @description The site, or site/host
             * @default
             */
            at?: string;
            /**
             * @description Whether it is on its way out
             * @default false
             */
            leaving?: boolean;
            /** @description The pod's name */
            name: string;
            /** @description How far it is */
            phase: string;
            /**
             * @description Whether it takes requests
             * @default false
             */
            ready?: boolean;
            /** @description The revision that it runs */
            revision: number;
        };
        /**
         * Revision
         * @description One state of what runs.
         */
        Revision: {
            /** @description When it was wanted first */
            createdAt: string;
            /**
             * @description What it came from
             * @default
             */
            note?: string;
            /** @description Counted from 1 */
            number: number;
            /**
             * @description Whether it was ever wholly ready
             * @default false
             */
            ready?: boolean;
        };
        RoleAssignmentDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["RoleAssignmentSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        RoleAssignmentRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["RoleAssignmentSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** RoleAssignmentSpec */
        RoleAssignmentSpec: {
            /**
             * @description Until when they count, as for an auditor's visit
             * @default null
             */
            notAfter?: string | null;
            /**
             * @description Since when they count
             * @default null
             */
            notBefore?: string | null;
            /** @description Names of roles */
            roles: string[];
            /** @description Where the roles count */
            scopes: components["schemas"]["Scope"][];
            /** @description User names or e-mail addresses, service-accounts/NAME, or * for all */
            subs: string[];
        };
        RoleDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["RoleSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        RoleRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["RoleSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** RoleSpec */
        RoleSpec: {
            /** @description What the role allows */
            permissions: components["schemas"]["Permission"][];
        };
        RouteDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["RouteSpec"];
            status: components["schemas"]["RouteStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        RouteRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: components["schemas"]["RouteSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** RouteSpec */
        RouteSpec: {
            /**
             * @description What answers, in turn
             * @default []
             */
            backends?: components["schemas"]["BackendSpec"][];
            /**
             * @description Names of your own, below a domain granted to the tenant, beside the automatic one
             * @default []
             */
            hosts?: string[];
            /**
             * @description Seconds without a request after which its owner is told; 0: never
             * @default 0
             */
            idle?: number;
            /**
             * @description With login: what its backends are shown as X-Skerry-Key, so that they can tell the gateway from others; leaving it out keeps the one that is there
             * @default null
             */
            key?: string | null;
            /**
             * @description What it may take
             * @default {}
             */
            limits?: components["schemas"]["LimitsSpec"];
            /**
             * @description Let in only those who may open the route or change what owns it
             * @default false
             */
            login?: boolean;
            /**
             * @description http: by host name; tcp: any bytes, by a port of the gateway
             * @default http
             * @enum {unknown}
             */
            protocol?: "http" | "tcp";
            /**
             * @description The port wanted for tcp; 0: one that is free
             * @default 0
             */
            tcpPort?: number;
            /**
             * @description What tells its owner to wake where nothing answers: any request, or only a page that somebody opens
             * @default request
             * @enum {unknown}
             */
            wake?: "page" | "request";
        };
        /** RouteStatus */
        RouteStatus: {
            /**
             * @description How its names are vouched for, with TLS
             * @default []
             */
            certificates?: components["schemas"]["CertificateStatus"][];
            /**
             * @description All its names, the automatic one first
             * @default []
             */
            hosts?: string[];
            /**
             * @description When it was last asked, to a few seconds
             * @default null
             */
            lastRequestAt?: string | null;
            /**
             * @description Requests of the last 24 hours, as far as they are counted
             * @default 0
             */
            requests?: number;
            /**
             * @description Its port on the gateway, for tcp
             * @default 0
             */
            tcpPort?: number;
            /**
             * @description Where it is reached
             * @default
             */
            url?: string;
        };
        ScheduleDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["ScheduleSpec"];
            status: components["schemas"]["ScheduleStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        ScheduleRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec: components["schemas"]["ScheduleSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * ScheduleSpec
         * @description When to start which job.
         */
        ScheduleSpec: {
            /** @description When: minute, hour, day of month, month, day of week, such as '30 2 * * 1-5'; or @hourly, @daily, @weekly, @monthly, @yearly */
            cron: string;
            /** @description The job to start each time */
            job: components["schemas"]["JobSpec"];
            /**
             * @description How many jobs that ended are kept
             * @default 10
             */
            keep?: number;
            /**
             * @description What of the times that passed while nothing could start: none, one job for all of them, or one for each (at most the last hundred)
             * @default once
             * @enum {unknown}
             */
            missed?: "all" | "once" | "skip";
            /**
             * @description If the last job has not ended: leave this one out, start it beside it, or cancel the last one first
             * @default skip
             * @enum {unknown}
             */
            overlap?: "allow" | "replace" | "skip";
            /**
             * @description Start nothing until told otherwise
             * @default false
             */
            suspended?: boolean;
            /**
             * @description Whose clock: a name such as Europe/Berlin
             * @default UTC
             */
            timeZone?: string;
        };
        /** ScheduleStatus */
        ScheduleStatus: {
            /**
             * @description The last time it was due
             * @default null
             */
            lastAt?: string | null;
            /**
             * @description The job it started last
             * @default
             */
            lastJob?: string;
            /**
             * @description Times it was due and started nothing, by its policies
             * @default 0
             */
            leftOut?: number;
            /**
             * @description What it did last, in words
             * @default
             */
            message?: string;
            /**
             * @description When it is due next
             * @default null
             */
            nextAt?: string | null;
            /**
             * @description over: its expression has no further time
             * @default waiting
             * @enum {unknown}
             */
            phase?: "over" | "suspended" | "waiting";
            /**
             * @description Jobs started so far
             * @default 0
             */
            started?: number;
        };
        /**
         * Scope
         * @description Where a role counts. A dimension left out is not restricted, but ``tenants``: left out, it
         *         is the tenant of the assignment.
         */
        Scope: {
            /**
             * @description Regions; all if none
             * @default []
             */
            regions?: string[];
            /**
             * @description Tenants; by default this one
             * @default []
             */
            tenants?: string[];
            /**
             * @description Workspaces; all if none
             * @default []
             */
            workspaces?: string[];
        };
        /**
         * Scratch
         * @description Space that all its runs share.
         */
        Scratch: {
            /** @description Where it is mounted, an absolute path */
            path: string;
            /** @description Its size in bytes */
            size: number;
        };
        SecretDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["SecretSpec"];
            status: components["schemas"]["SecretStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        /**
         * SecretRef
         * @description One value of a secret, for what runs: as a variable or as a file.
         */
        SecretRef: {
            /**
             * @description Variable to set
             * @default
             */
            env?: string;
            /** @description Which of its values */
            key: string;
            /**
             * @description File to put it in, as an absolute path; it is kept in memory only
             * @default
             */
            path?: string;
            /** @description The secret, in the same workspace */
            secret: string;
            /**
             * @description Which version; 0: the current one when it starts
             * @default 0
             */
            version?: number;
        };
        SecretRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: components["schemas"]["SecretSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * SecretSpec
         * @description Named values, never shown again.
         */
        SecretSpec: {
            /**
             * @description The values by name; leaving it out keeps those that are there
             * @default null
             */
            data?: {
                [key: string]: string;
            } | null;
        };
        /** SecretStatus */
        SecretStatus: {
            /**
             * @description Names of its values
             * @default []
             */
            keys?: string[];
            /**
             * @description The current version
             * @default 0
             */
            version?: number;
            /**
             * @description Those that are kept, newest first
             * @default []
             */
            versions?: components["schemas"]["Version"][];
        };
        SellerDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["SellerSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        SellerRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["SellerSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** SellerSpec */
        SellerSpec: {
            /**
             * @description The bank's name
             * @default
             */
            bank?: string;
            /**
             * @description Of the bank, where it is asked for
             * @default
             */
            bic?: string;
            /** @description With its district, where that is written */
            city: string;
            /**
             * @description A person or department for questions
             * @default
             */
            contact?: string;
            /** @description ISO 3166-1, such as DE */
            country: string;
            /**
             * @description Where invoices and questions go
             * @default
             */
            email?: string;
            /**
             * @description Why no VAT is charged at all, in the law's words (a small business)
             * @default
             */
            exemption?: string;
            /**
             * @description Such as a floor or a department
             * @default
             */
            extraLine?: string;
            /**
             * @description A line that the law wants: directors, court
             * @default
             */
            footer?: string;
            /**
             * @description Where to pay
             * @default
             */
            iban?: string;
            /** @description As it is registered */
            legalName: string;
            /**
             * @description Before each invoice's number
             * @default
             */
            numberPrefix?: string;
            /**
             * @description For questions about invoices
             * @default
             */
            phone?: string;
            /**
             * @description Empty where there is none
             * @default
             */
            postalCode?: string;
            /**
             * @description Number in the company register, if there is one
             * @default
             */
            registration?: string;
            /** @description Street and number */
            street: string;
            /**
             * @description The tax office's own number, where there is one
             * @default
             */
            taxNumber?: string;
            /**
             * @description With its prefix, such as DE136695976; none: empty
             * @default
             */
            vatNumber?: string;
            /**
             * @description Rates that differ from those Skerry knows
             * @default []
             */
            vatRates?: components["schemas"]["VatRate"][];
        };
        ServiceAccountDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["ServiceAccountSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        ServiceAccountRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["ServiceAccountSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** ServiceAccountSpec */
        ServiceAccountSpec: {
            /**
             * @description What it is for
             * @default
             */
            description?: string;
            /**
             * @description Refuse this account's tokens
             * @default false
             */
            disabled?: boolean;
            /**
             * @description Tokens that are exchanged for its own
             * @default []
             */
            trusts?: components["schemas"]["Trust"][];
        };
        ServiceDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["ServiceSpec"];
            status: components["schemas"]["ServiceStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        ServiceRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec: components["schemas"]["ServiceSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * ServiceSpec
         * @description What runs in each replica, how many there are, and how they are reached.
         */
        ServiceSpec: {
            /**
             * @description Program and arguments, no shell; empty: the image's
             * @default []
             */
            command?: string[];
            /**
             * @description Writable space of each copy in bytes
             * @default 1073741824
             */
            disk?: number;
            /**
             * @description Seconds that requests under way have when one leaves
             * @default 60
             */
            drain?: number;
            /**
             * @description Environment variables
             * @default {}
             */
            env?: {
                [key: string]: string;
            };
            /**
             * @description Only this model
             * @default
             */
            gpuModel?: string;
            /**
             * @description GPUs of each copy
             * @default 0
             */
            gpus?: number;
            /**
             * @description Seconds between SIGTERM and SIGKILL
             * @default 10
             */
            grace?: number;
            /**
             * @description When it takes requests; none: as soon as it runs
             * @default null
             */
            health?: components["schemas"]["Health"] | null;
            /**
             * @description Names of your own, beside the automatic one
             * @default []
             */
            hosts?: string[];
            /**
             * @description Seconds without a request until it sleeps; 0: it never does
             * @default 0
             */
            idle?: number;
            /**
             * @description Image of a registry, or blob:sha256:… of an archive; empty: the host's
             * @default
             */
            image?: string;
            /**
             * @description Secret with username and password for the registry
             * @default
             */
            imageSecret?: string;
            /**
             * @description Files put into its directory
             * @default []
             */
            inputs?: components["schemas"]["Input"][];
            /**
             * @description What separates it from others
             * @default sandbox
             * @enum {unknown}
             */
            isolation?: "process" | "sandbox" | "vm";
            /**
             * @description What its route may take
             * @default {}
             */
            limits?: components["schemas"]["LimitsSpec"];
            /**
             * @description Let in only those who may change it
             * @default false
             */
            login?: boolean;
            /**
             * @description Memory of each copy in bytes
             * @default 536870912
             */
            memory?: number;
            /**
             * @description CPU of each copy in thousandths of a core
             * @default 1000
             */
            millicores?: number;
            /**
             * @description Whether it may reach the outside
             * @default false
             */
            network?: boolean;
            /**
             * @description Seconds without word of its host until it is started elsewhere; 0: never
             * @default 120
             */
            patience?: number;
            /** @description The port that it listens on */
            port: number;
            /**
             * @description Ports that it listens on
             * @default []
             */
            ports?: number[];
            /**
             * @description Seconds a change may take until it is called failing
             * @default 300
             */
            progress?: number;
            /**
             * @description tcp: any bytes, by a port of the gateway
             * @default http
             * @enum {unknown}
             */
            protocol?: "http" | "tcp";
            /**
             * @description Only in this region
             * @default
             */
            region?: string;
            /**
             * @description How many run at once
             * @default 1
             */
            replicas?: number;
            /**
             * @description Python packages it needs, as pip's requirements
             * @default
             */
            requirements?: string;
            /**
             * @description Environment variables never shown again
             * @default null
             */
            secretEnv?: {
                [key: string]: string;
            } | null;
            /**
             * @description Secrets that it is given
             * @default []
             */
            secrets?: components["schemas"]["SecretRef"][];
            /**
             * @description Only at this site, host or node: SITE/NODE
             * @default
             */
            site?: string;
            /**
             * @description How many more may run while they are replaced
             * @default 1
             */
            surge?: number;
            /**
             * @description Volumes that it mounts
             * @default []
             */
            volumes?: components["schemas"]["VolumeUse"][];
        };
        /** ServiceStatus */
        ServiceStatus: {
            /**
             * @description What it cost so far, with all its pods
             * @default null
             */
            cost?: components["schemas"]["Cost"] | null;
            /**
             * @description Why it is so, in words
             * @default
             */
            message?: string;
            /**
             * @description How it is
             * @default starting
             * @enum {unknown}
             */
            phase?: "asleep" | "failing" | "rolling" | "running" | "starting" | "stopped";
            /**
             * @description Its replicas
             * @default []
             */
            pods?: components["schemas"]["Replica"][];
            /**
             * @description Replicas that take requests
             * @default 0
             */
            ready?: number;
            /**
             * @description Why it is so, in a word
             * @default
             */
            reason?: string;
            /**
             * @description How many are wanted now; 0 while it sleeps
             * @default 0
             */
            replicas?: number;
            /**
             * @description The revision that is wanted
             * @default 0
             */
            revision?: number;
            /**
             * @description What it was, newest first
             * @default []
             */
            revisions?: components["schemas"]["Revision"][];
            /**
             * @description Where it is reached
             * @default
             */
            url?: string;
        };
        /** SetPassword */
        SetPassword: {
            /**
             * @description The present one, when changing your own
             * @default
             */
            current?: string;
            /** @description The new password */
            password: string;
        };
        /**
         * Share
         * @description How much of one resource a queue has.
         */
        Share: {
            /**
             * @description How much more it may use of what its cohort leaves unused; no limit
             * @default null
             */
            borrowingLimit?: number | null;
            /**
             * @description How much of what it leaves unused its cohort may use; all of it
             * @default null
             */
            lendingLimit?: number | null;
            /**
             * @description Of GPUs: only this model; all if left out
             * @default
             */
            model?: string;
            /** @description How much it may always use */
            nominal: number;
            /**
             * @description Thousandths of a core, bytes of memory, or GPUs
             * @enum {unknown}
             */
            resource: "gpus" | "memory" | "millicores";
        };
        /**
         * ShareStatus
         * @description What is taken of one machine.
         */
        ShareStatus: {
            /** @description How many copies are there, the lowest ranks first */
            copies: number;
            /**
             * @description UUIDs of the devices, rank by rank
             * @default []
             */
            devices?: string[];
            /**
             * @description The machine, of a place with several
             * @default
             */
            node?: string;
            /** @description Its offer */
            offer: string;
        };
        SiteDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["SiteSpec"];
            status: components["schemas"]["SiteStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        SiteRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["SiteSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** SiteSpec */
        SiteSpec: {
            /**
             * @description What the driver needs to know
             * @default {}
             */
            config?: Record<string, never>;
            /** @description What runs there: local, simulated, … */
            driver: string;
            /**
             * @description Country whose law holds there (ISO 3166-1 alpha-2); empty: unknown, and policies that name countries refuse it
             * @default
             */
            jurisdiction?: string;
            /**
             * Format: file
             * @description How driver kubernetes signs in to its cluster: a kubeconfig that stands by itself; empty: it runs inside of it
             * @default
             */
            kubeconfig?: string;
            /**
             * @description Who runs it; empty: the operator of this cloud
             * @default
             */
            operator?: string;
            /** @description The region it is in */
            region: string;
            /**
             * @description How far the operator is trusted, 0 to 4
             * @default 0
             */
            trustTier?: number;
            /** @description The zone of the region that it is */
            zone: string;
        };
        /** SiteStatus */
        SiteStatus: {
            /**
             * @description Of the host agent, where there is one
             * @default
             */
            agentVersion?: string;
            /**
             * @description Cores, memory and devices, and what is free of them
             * @default {}
             */
            capacity?: Record<string, never>;
            /**
             * @description How far its clock is ahead of the cloud's; negative: behind
             * @default 0
             */
            clockAheadSeconds?: number;
            /**
             * @description Engine to its version, or why it can't be used
             * @default {}
             */
            engines?: {
                [key: string]: string;
            };
            /**
             * @description How many machines joined it, by their phase
             * @default {}
             */
            hosts?: {
                [key: string]: number;
            };
            /**
             * @description When it was last in contact
             * @default
             */
            lastSeenAt?: string;
            /**
             * @description new, connected, silent or unreachable
             * @default new
             */
            phase?: string;
            /**
             * @description Workloads found there that this cloud never made; they are left alone
             * @default []
             */
            unknownWorkloads?: string[];
        };
        SnapshotDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["SnapshotSpec"];
            status: components["schemas"]["SnapshotStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        SnapshotRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: components["schemas"]["SnapshotSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * SnapshotSpec
         * @description What is in its volume when it is taken.
         */
        SnapshotSpec: Record<string, never>;
        /** SnapshotStatus */
        SnapshotStatus: {
            /**
             * @description Who keeps it: a site, or a host as SITE/HOST
             * @default
             */
            at?: string;
            /**
             * @description What it cost so far
             * @default null
             */
            cost?: components["schemas"]["Cost"] | null;
            /**
             * @description Id of the decision that placed it
             * @default
             */
            decision?: string;
            /**
             * @description Its name there
             * @default
             */
            id?: string;
            /**
             * @description Id of its first lease
             * @default
             */
            lease?: string;
            /**
             * @description Why it is so, in words
             * @default
             */
            message?: string;
            /**
             * @description How far it is; unpaid: it is kept, and can't be mounted
             * @default queued
             * @enum {unknown}
             */
            phase?: "creating" | "failed" | "growing" | "queued" | "ready" | "unpaid";
            /**
             * @description Where it lies
             * @default null
             */
            place?: components["schemas"]["Place"] | null;
            /**
             * @description Price of one GiB for an hour, rounded up
             * @default null
             */
            pricePerGibHourNano?: number | null;
            /**
             * @description Price of an hour, in 10^-9 of the currency unit
             * @default null
             */
            pricePerHourNano?: number | null;
            /**
             * @description Why it is so, in a word
             * @default
             */
            reason?: string;
            /**
             * @description Bytes that it has now
             * @default 0
             */
            size?: number;
        };
        /** @enum {string} */
        State: "pending" | "creating" | "active" | "updating" | "deleting" | "error";
        /**
         * Status
         * @description Base of all statuses. ``state`` and ``conditions`` are the kernel's and not repeated here.
         */
        Status: Record<string, never>;
        /**
         * Task
         * @description One copy.
         */
        Task: {
            /**
             * @description When its process ended
             * @default null
             */
            endedAt?: string | null;
            /**
             * @description Exit code of its command
             * @default null
             */
            exitCode?: number | null;
            /**
             * @description The devices it has
             * @default []
             */
            gpus?: string[];
            /**
             * @description Why it ended, in words
             * @default
             */
            message?: string;
            /**
             * @description The machine it runs at, of a site with several
             * @default
             */
            node?: string;
            /** @description What its site says of it */
            phase: string;
            /** @description Which copy, from 0 */
            rank: number;
            /**
             * @description Why it ended, in a word
             * @default
             */
            reason?: string;
            /**
             * @description How often its host started it anew
             * @default 0
             */
            restarts?: number;
            /**
             * @description When its process started
             * @default null
             */
            startedAt?: string | null;
        };
        TenantDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["TenantSpec"];
            status: components["schemas"]["Status"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        /**
         * TenantPolicySpec
         * @description A tenant's policy, for all of its workspaces or for some.
         */
        TenantPolicySpec: {
            /**
             * @description Who must vouch for the offer: declared, host, hardware
             * @default declared
             * @enum {unknown}
             */
            evidence?: "declared" | "hardware" | "host";
            /**
             * @description Countries and groups never allowed
             * @default []
             */
            forbidden?: string[];
            /**
             * @description The weakest isolation accepted
             * @default process
             * @enum {unknown}
             */
            isolation?: "process" | "sandbox" | "vm";
            /**
             * @description Allowed countries (ISO 3166-1 alpha-2) and groups: EU, EEA, EFTA, …
             * @default null
             */
            jurisdictions?: string[] | null;
            /**
             * @description Operators that may run the work
             * @default null
             */
            operators?: string[] | null;
            /**
             * @description The lowest trust tier accepted, 0 to 4
             * @default 0
             */
            trustTier?: number;
            /**
             * @description Workspaces it binds; by default all of the tenant
             * @default []
             */
            workspaces?: string[];
        };
        TenantRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["TenantSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** TenantSpec */
        TenantSpec: {
            /**
             * @description Name for people
             * @default
             */
            displayName?: string;
            /**
             * @description Roles whose bearers need a second factor beside a password; * for all
             * @default []
             */
            secondFactor?: string[];
            /**
             * @description Refuse every token of this tenant; nothing is deleted
             * @default false
             */
            suspended?: boolean;
        };
        TokenDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["TokenSpec"];
            status: components["schemas"]["TokenStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        TokenRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["TokenSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** TokenSpec */
        TokenSpec: {
            /**
             * @description What it is for
             * @default
             */
            description?: string;
            /**
             * @description When it stops working
             * @default null
             */
            expiresAt?: string | null;
            /**
             * @description Narrow the token to these; it never widens anything
             * @default []
             */
            scopes?: components["schemas"]["Scope"][];
            /**
             * @description User name, or service-accounts/NAME; by default the caller
             * @default
             */
            subject?: string;
            /**
             * @description Seconds it works for, unless expiresAt is given; 0 is for ever
             * @default 7776000
             */
            ttlSeconds?: number;
        };
        /** TokenStatus */
        TokenStatus: {
            /**
             * @description When it stops working
             * @default null
             */
            expiresAt?: string | null;
            /**
             * @description The first 16 hexadecimal digits of the secret's SHA-256
             * @default
             */
            fingerprint?: string;
            /**
             * @description When it was last used, to the minute
             * @default null
             */
            lastUsedAt?: string | null;
            /**
             * @description users/NAME or service-accounts/NAME
             * @default
             */
            subject?: string;
        };
        /**
         * Trust
         * @description Tokens of another issuer that are exchanged for this account's.
         */
        Trust: {
            /** @description For whom they must be meant */
            audience: string;
            /**
             * @description What else they must say; * stands for anything
             * @default {}
             */
            claims?: {
                [key: string]: string;
            };
            /** @description Name of an issuer of this cloud */
            issuer: string;
            /** @description Whom they must be about; * stands for anything in it */
            subject: string;
            /**
             * @description Seconds for which a token of ours works
             * @default 900
             */
            ttlSeconds?: number;
        };
        /**
         * UseStatus
         * @description One resource of a queue now.
         */
        UseStatus: {
            /**
             * @description How much more could be borrowed now
             * @default 0
             */
            borrowable?: number;
            /**
             * @description How much of that is beyond the nominal amount
             * @default 0
             */
            borrowed?: number;
            /** @description What the queue may always use */
            nominal: number;
            /** @description Its name; a GPU model follows a colon */
            resource: string;
            /** @description What is admitted */
            used: number;
        };
        UserDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["UserSpec"];
            status: components["schemas"]["UserStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        UserRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec?: components["schemas"]["UserSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** UserSpec */
        UserSpec: {
            /**
             * @description Refuse this user's tokens and password
             * @default false
             */
            disabled?: boolean;
            /**
             * @description Name for people
             * @default
             */
            displayName?: string;
            /**
             * @description Can stand for the name when logging in and in role assignments
             * @default
             */
            email?: string;
        };
        /** UserStatus */
        UserStatus: {
            /**
             * @description Whether a password is set
             * @default false
             */
            hasPassword?: boolean;
            /**
             * @description Whether a code is wanted, too
             * @default false
             */
            hasSecondFactor?: boolean;
        };
        /**
         * VatRate
         * @description Instead of the rate that Skerry knows.
         */
        VatRate: {
            /** @description ISO 3166-1, such as DE */
            country: string;
            /** @description Such as 19 */
            percent: string;
        };
        /**
         * Version
         * @description A set of values that is kept.
         */
        Version: {
            /** @description When it was put */
            createdAt: string;
            /** @description Names of its values */
            keys: string[];
            /** @description Counted from 1 */
            version: number;
        };
        VolumeDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["VolumeSpec"];
            status: components["schemas"]["VolumeStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        VolumeRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec: components["schemas"]["VolumeSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /**
         * VolumeSpec
         * @description How large it is, and what is in it at first.
         */
        VolumeSpec: {
            /**
             * @description Begin as a copy of this snapshot: VOLUME/SNAPSHOT
             * @default
             */
            from?: string;
            /**
             * @description Only in this region
             * @default
             */
            region?: string;
            /**
             * @description Only at this site, or at this host: SITE/HOST
             * @default
             */
            site?: string;
            /** @description Its size in bytes; it can grow later */
            size: number;
        };
        /** VolumeStatus */
        VolumeStatus: {
            /**
             * @description Who keeps it: a site, or a host as SITE/HOST
             * @default
             */
            at?: string;
            /**
             * @description What it cost so far
             * @default null
             */
            cost?: components["schemas"]["Cost"] | null;
            /**
             * @description Id of the decision that placed it
             * @default
             */
            decision?: string;
            /**
             * @description Its name there
             * @default
             */
            id?: string;
            /**
             * @description Id of its first lease
             * @default
             */
            lease?: string;
            /**
             * @description Why it is so, in words
             * @default
             */
            message?: string;
            /**
             * @description How far it is; unpaid: it is kept, and can't be mounted
             * @default queued
             * @enum {unknown}
             */
            phase?: "creating" | "failed" | "growing" | "queued" | "ready" | "unpaid";
            /**
             * @description Where it lies
             * @default null
             */
            place?: components["schemas"]["Place"] | null;
            /**
             * @description Price of one GiB for an hour, rounded up
             * @default null
             */
            pricePerGibHourNano?: number | null;
            /**
             * @description Price of an hour, in 10^-9 of the currency unit
             * @default null
             */
            pricePerHourNano?: number | null;
            /**
             * @description What reads it just now
             * @default []
             */
            readers?: string[];
            /**
             * @description Why it is so, in a word
             * @default
             */
            reason?: string;
            /**
             * @description Bytes that it has now
             * @default 0
             */
            size?: number;
            /**
             * @description What may write to it just now
             * @default
             */
            writer?: string;
        };
        /**
         * VolumeUse
         * @description A volume in its file system.
         */
        VolumeUse: {
            /** @description Name of the volume */
            name: string;
            /** @description Where it is mounted, an absolute path */
            path: string;
            /**
             * @description Whether it can only be read there
             * @default false
             */
            readOnly?: boolean;
        };
        VoucherDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["VoucherSpec"];
            status: components["schemas"]["VoucherStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        VoucherRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["VoucherSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** VoucherSpec */
        VoucherSpec: {
            /** @description What it is worth */
            amount: string;
            /** @description On which it can be redeemed */
            lastDay: string;
            /**
             * @description Such as an occasion
             * @default
             */
            note?: string;
            /**
             * @description Whether somebody paid for it
             * @default sold
             * @enum {unknown}
             */
            source?: "gift" | "sold";
        };
        /** VoucherStatus */
        VoucherStatus: {
            /**
             * @description Shown once, when it is made
             * @default
             */
            code?: string;
            /**
             * @description When it was redeemed or expired
             * @default
             */
            endedAt?: string;
            /**
             * @description open, redeemed or expired
             * @default
             */
            phase?: string;
            /**
             * @description Who redeemed it
             * @default
             */
            tenant?: string;
        };
        /**
         * Waits
         * @description Where one that waits stands in its queue. Computed when it is read.
         */
        Waits: {
            /**
             * @description What this estimate follows from
             * @default
             */
            basis?: string;
            /** @description How many of its queue come before it, and itself */
            position: number;
            /** @description The queue */
            queue: string;
            /**
             * @description What it waits for
             * @default
             */
            reason?: string;
            /**
             * @description When it may start at the earliest; unknown if left out
             * @default null
             */
            startsAt?: string | null;
            /**
             * @description How many wait there
             * @default 0
             */
            waiting?: number;
        };
        WebhookDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["WebhookSpec"];
            status: components["schemas"]["WebhookStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        WebhookRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["WebhookSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** WebhookSpec */
        WebhookSpec: {
            /**
             * @description Whether anything is sent to it
             * @default true
             */
            enabled?: boolean;
            /** @description Where notices are posted. HTTPS, at a public address, unless the operator allows more */
            endpoint: string;
            /**
             * @description Topics such as invoice.issued, all below one (invoice.*); all if none
             * @default []
             */
            topics?: string[];
        };
        /** WebhookStatus */
        WebhookStatus: {
            /**
             * @description Since when nothing arrives
             * @default null
             */
            failingSince?: string | null;
            /**
             * @description When something arrived the last time
             * @default null
             */
            lastDeliveryAt?: string | null;
            /**
             * @description disabled: it failed for days; a new put enables it again
             * @default active
             * @enum {unknown}
             */
            phase?: "active" | "disabled" | "failing";
            /**
             * @description What went wrong the last time
             * @default
             */
            problem?: string;
        };
        WitnessDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["WitnessSpec"];
            status: components["schemas"]["WitnessStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        WitnessRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["WitnessSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** WitnessSpec */
        WitnessSpec: {
            /** @description Where it takes checkpoints: of a Skerry, URL/providers/skerry.proof/v1 */
            endpoint: string;
            /** @description Its verifier key: skerry key --witness, there */
            key: string;
        };
        /** WitnessStatus */
        WitnessStatus: {
            /**
             * @description When it did so last
             * @default
             */
            cosignedAt?: string;
            /**
             * @description How many changes of this cloud it has cosigned
             * @default 0
             */
            size?: number;
        };
        WitnessedLogDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: components["schemas"]["WitnessedLogSpec"];
            status: components["schemas"]["WitnessedLogStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        WitnessedLogRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: Record<string, never> | null;
            spec: components["schemas"]["WitnessedLogSpec"];
            /** @description Ignored */
            status?: unknown;
        };
        /** WitnessedLogSpec */
        WitnessedLogSpec: {
            /** @description The log's verifier key: skerry key, there */
            key: string;
        };
        /** WitnessedLogStatus */
        WitnessedLogStatus: {
            /**
             * @description That checkpoint, to be compared
             * @default
             */
            checkpoint?: string;
            /**
             * @description When that was
             * @default
             */
            cosignedAt?: string;
            /**
             * @description The log's name, as its checkpoints say
             * @default
             */
            origin?: string;
            /**
             * @description Changes under the checkpoint cosigned last
             * @default 0
             */
            size?: number;
        };
        WorkspaceDocument: {
            annotations: components["schemas"]["Annotations"];
            extensions: components["schemas"]["Annotations"];
            labels: components["schemas"]["Labels"];
            metadata: components["schemas"]["Metadata"];
            spec: Record<string, never>;
            status: components["schemas"]["WorkspaceStatus"] & {
                conditions: components["schemas"]["Condition"][];
                state: components["schemas"]["State"];
            };
        };
        WorkspaceRequest: {
            annotations?: components["schemas"]["Annotations"];
            extensions?: components["schemas"]["Annotations"];
            labels?: components["schemas"]["Labels"];
            /** @description Ignored, but for region */
            metadata?: {
                /** @description Where; the home region if left out */
                region?: string | null;
            } | null;
            spec?: Record<string, never>;
            /** @description Ignored */
            status?: unknown;
        };
        /** WorkspaceStatus */
        WorkspaceStatus: {
            /**
             * @description Resources in the workspace
             * @default 0
             */
            resourceCount?: number;
        };
        WellknownAnswer: {
            endpoints: {
                provider: string;
                url: string;
            }[];
            version: string;
        };
        FollowLinkAnswer: {
            tenant: string;
            user: string;
        };
        BeginFactorAnswer: {
            secret: string;
            svg: string;
            text: string;
            uri: string;
        };
        ListSessionsAnswer: {
            items: {
                /** @description Where a session was opened from */
                address: string;
                /** @description What proved a session: password, issuer/NAME */
                by: string;
                /** @description It is the one that asks */
                current: boolean;
                expiresAt: string | null;
                id: string;
                lastUsedAt: string | null;
                /** @description Scopes let it do less than its bearer */
                narrowed: boolean;
                /** Format: date-time */
                openedAt: string;
                /** @description The token's name; null: it is a session */
                token: string | null;
            }[];
        };
        OpenSessionAnswer: {
            /** Format: date-time */
            expiresAt: string;
            recoveryCodes?: string[];
            subject: string;
            tenant: string;
            token: string;
        };
        WaysInAnswer: {
            issuers: {
                displayName: string;
                name: string;
            }[];
            password: boolean;
        };
        IssueTicketAnswer: {
            /** Format: date-time */
            expiresAt: string;
            ticket: string;
        };
        ExchangeTokenAnswer: {
            access_token: string;
            expires_in: number;
            issued_token_type: string;
            token_type: string;
        };
        WhoamiAnswer: {
            displayName: string;
            /** Format: date-time */
            expiresAt?: string;
            operator: boolean;
            subject: string;
            tenant: string;
        };
        ListAlertsAnswer: {
            items: {
                metadata: {
                    apiVersion: string;
                    /** Format: date-time */
                    createdAt: string;
                    kind: string;
                    /** Format: date-time */
                    lastModifiedAt: string;
                    name: string;
                    provider: string;
                    ref: string;
                    resource: string;
                    tenant?: string;
                };
                spec: {
                    reason: string;
                    subject: string;
                };
                status: {
                    /** Format: date-time */
                    clearedAt?: string;
                    message: string;
                    /** @enum {unknown} */
                    phase: "open" | "cleared";
                    /** Format: date-time */
                    raisedAt: string;
                    remedy: string;
                    state: string;
                };
            }[];
        };
        GetAlertAnswer: {
            metadata: {
                apiVersion: string;
                /** Format: date-time */
                createdAt: string;
                kind: string;
                /** Format: date-time */
                lastModifiedAt: string;
                name: string;
                provider: string;
                ref: string;
                resource: string;
                tenant?: string;
            };
            spec: {
                reason: string;
                subject: string;
            };
            status: {
                /** Format: date-time */
                clearedAt?: string;
                message: string;
                /** @enum {unknown} */
                phase: "open" | "cleared";
                /** Format: date-time */
                raisedAt: string;
                remedy: string;
                state: string;
            };
        };
        StatusAnswer: {
            alerts: {
                open: number;
            };
            disk: {
                databaseBytes: number;
                freeBytes: number;
                totalBytes: number;
            };
            /** @description Whether it balances, how far it is */
            ledger: Record<string, never>;
            /** @description The published log, and what it lacks */
            log: Record<string, never>;
            places: {
                at: string;
                clockAheadSeconds: number | null;
                silentSeconds: number | null;
                version: string;
            }[];
            processes: {
                name: string;
                roles: string[];
                /** Format: date-time */
                startedAt: string;
                version: string;
            }[];
            /** @description Work in progress */
            queue: Record<string, never>;
            version: string;
        };
        ListTenantAlertsAnswer: {
            items: {
                metadata: {
                    apiVersion: string;
                    /** Format: date-time */
                    createdAt: string;
                    kind: string;
                    /** Format: date-time */
                    lastModifiedAt: string;
                    name: string;
                    provider: string;
                    ref: string;
                    resource: string;
                    tenant?: string;
                };
                spec: {
                    reason: string;
                    subject: string;
                };
                status: {
                    /** Format: date-time */
                    clearedAt?: string;
                    message: string;
                    /** @enum {unknown} */
                    phase: "open" | "cleared";
                    /** Format: date-time */
                    raisedAt: string;
                    remedy: string;
                    state: string;
                };
            }[];
        };
        GetTenantAlertAnswer: {
            metadata: {
                apiVersion: string;
                /** Format: date-time */
                createdAt: string;
                kind: string;
                /** Format: date-time */
                lastModifiedAt: string;
                name: string;
                provider: string;
                ref: string;
                resource: string;
                tenant?: string;
            };
            spec: {
                reason: string;
                subject: string;
            };
            status: {
                /** Format: date-time */
                clearedAt?: string;
                message: string;
                /** @enum {unknown} */
                phase: "open" | "cleared";
                /** Format: date-time */
                raisedAt: string;
                remedy: string;
                state: string;
            };
        };
        UsageAnswer: {
            /** Format: date-time */
            from: string;
            items: {
                amountNano: number;
                /** Format: date-time */
                at: string;
                currency: string;
                meter: string;
                product: string;
                quantity: string;
                unit: string;
                workspace: string;
            }[];
            step: string;
            /** Format: date-time */
            to: string;
        };
        SearchLogsAnswer: {
            /** @description What was let go because the workspace wrote more than its share */
            cut?: {
                bytes: number;
                /** Format: date-time */
                until: string;
            };
            items: {
                /** Format: date-time */
                at: string;
                kind: string;
                name: string;
                offset: number;
                rank: number;
                /** @enum {unknown} */
                stream: "stdout" | "stderr";
                text: string;
                workload: string;
            }[];
            /** @description The cursor of the next page */
            next?: string;
        };
        TopAnswer: {
            items: {
                at: string[];
                /** @description What it cost so far, and costs an hour; none where nothing was metered */
                cost?: {
                    amountNano: number;
                    currency: string;
                    perHourNano: number;
                };
                kind: string;
                name: string;
                ref: string;
                tasks: number;
                /** @description The newest value of each series that is known */
                uses: {
                    [key: string]: number;
                };
            }[];
        };
        TopHostsAnswer: {
            hosts: {
                at: string;
                has: Record<string, never>;
                /** @description The newest value of each series that is known */
                uses: {
                    [key: string]: number;
                };
            }[];
            tenants: {
                name: string;
                tasks: number;
                /** @description The newest value of each series that is known */
                uses: {
                    [key: string]: number;
                };
            }[];
        };
        UtilisationAnswer: {
            /** Format: date-time */
            from: string;
            /** @description Cores, bytes, bytes, GPUs */
            has: {
                cpu: number;
                disk: number;
                gpu: number;
                memory: number;
            };
            hosts: number;
            leased: {
                cpu: number;
                disk: number;
                gpu: number;
                memory: number;
            };
            sites: {
                /** @description Cores, bytes, bytes, GPUs */
                has: {
                    cpu: number;
                    disk: number;
                    gpu: number;
                    memory: number;
                };
                hosts: number;
                leased: {
                    cpu: number;
                    disk: number;
                    gpu: number;
                    memory: number;
                };
                name: string;
                used: {
                    cpu: (number | null)[];
                    gpu: (number | null)[];
                    memory: (number | null)[];
                };
            }[];
            step: number;
            /** Format: date-time */
            to: string;
            used: {
                cpu: (number | null)[];
                gpu: (number | null)[];
                memory: (number | null)[];
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Accept = components['schemas']['Accept'];
export type AccountSpec = components['schemas']['AccountSpec'];
export type AccountStatus = components['schemas']['AccountStatus'];
export type AgreementDocument = components['schemas']['AgreementDocument'];
export type AgreementRequest = components['schemas']['AgreementRequest'];
export type AgreementSpec = components['schemas']['AgreementSpec'];
export type AgreementStatus = components['schemas']['AgreementStatus'];
export type Annotations = components['schemas']['Annotations'];
export type BackendSpec = components['schemas']['BackendSpec'];
export type BillingAccountDocument = components['schemas']['BillingAccountDocument'];
export type BillingAccountRequest = components['schemas']['BillingAccountRequest'];
export type BudgetDocument = components['schemas']['BudgetDocument'];
export type BudgetRequest = components['schemas']['BudgetRequest'];
export type BudgetSpec = components['schemas']['BudgetSpec'];
export type BudgetStatus = components['schemas']['BudgetStatus'];
export type CertificateStatus = components['schemas']['CertificateStatus'];
export type CohortDocument = components['schemas']['CohortDocument'];
export type CohortRequest = components['schemas']['CohortRequest'];
export type CohortSpec = components['schemas']['CohortSpec'];
export type CohortStatus = components['schemas']['CohortStatus'];
export type Condition = components['schemas']['Condition'];
export type Connect = components['schemas']['Connect'];
export type Cost = components['schemas']['Cost'];
export type CreditDocument = components['schemas']['CreditDocument'];
export type CreditNoteSpec = components['schemas']['CreditNoteSpec'];
export type CreditRequest = components['schemas']['CreditRequest'];
export type CreditSpec = components['schemas']['CreditSpec'];
export type CreditStatus = components['schemas']['CreditStatus'];
export type Customer = components['schemas']['Customer'];
export type Delivery = components['schemas']['Delivery'];
export type DomainDocument = components['schemas']['DomainDocument'];
export type DomainRequest = components['schemas']['DomainRequest'];
export type DomainSpec = components['schemas']['DomainSpec'];
export type Drain = components['schemas']['Drain'];
export type Entry = components['schemas']['Entry'];
export type Exec = components['schemas']['Exec'];
export type GpuOffer = components['schemas']['GpuOffer'];
export type Health = components['schemas']['Health'];
export type Held = components['schemas']['Held'];
export type HostDocument = components['schemas']['HostDocument'];
export type HostRequest = components['schemas']['HostRequest'];
export type HostSpec = components['schemas']['HostSpec'];
export type HostStatus = components['schemas']['HostStatus'];
export type Input = components['schemas']['Input'];
export type InstanceOffer = components['schemas']['InstanceOffer'];
export type InvitationDocument = components['schemas']['InvitationDocument'];
export type InvitationRequest = components['schemas']['InvitationRequest'];
export type InvitationSpec = components['schemas']['InvitationSpec'];
export type InvitationStatus = components['schemas']['InvitationStatus'];
export type Invite = components['schemas']['Invite'];
export type InvoiceDocument = components['schemas']['InvoiceDocument'];
export type InvoiceSpec = components['schemas']['InvoiceSpec'];
export type InvoiceStatus = components['schemas']['InvoiceStatus'];
export type IssueSpec = components['schemas']['IssueSpec'];
export type IssuerDocument = components['schemas']['IssuerDocument'];
export type IssuerRequest = components['schemas']['IssuerRequest'];
export type IssuerSpec = components['schemas']['IssuerSpec'];
export type JobDocument = components['schemas']['JobDocument'];
export type JobRequest = components['schemas']['JobRequest'];
export type JobSpec = components['schemas']['JobSpec'];
export type JobStatus = components['schemas']['JobStatus'];
export type Labels = components['schemas']['Labels'];
export type LeaseDocument = components['schemas']['LeaseDocument'];
export type LeaseSpec = components['schemas']['LeaseSpec'];
export type LeaseStatus = components['schemas']['LeaseStatus'];
export type LimitsSpec = components['schemas']['LimitsSpec'];
export type Lines = components['schemas']['Lines'];
export type ListMetadata = components['schemas']['ListMetadata'];
export type MaintenanceDocument = components['schemas']['MaintenanceDocument'];
export type MaintenanceRequest = components['schemas']['MaintenanceRequest'];
export type MaintenanceSpec = components['schemas']['MaintenanceSpec'];
export type MaintenanceStatus = components['schemas']['MaintenanceStatus'];
export type Metadata = components['schemas']['Metadata'];
export type NearStatus = components['schemas']['NearStatus'];
export type NotebookCost = components['schemas']['NotebookCost'];
export type NotebookDocument = components['schemas']['NotebookDocument'];
export type NotebookRequest = components['schemas']['NotebookRequest'];
export type NotebookSecret = components['schemas']['NotebookSecret'];
export type NotebookSpec = components['schemas']['NotebookSpec'];
export type NotebookStatus = components['schemas']['NotebookStatus'];
export type NotebookVolume = components['schemas']['NotebookVolume'];
export type NoticeDocument = components['schemas']['NoticeDocument'];
export type NoticePreferenceDocument = components['schemas']['NoticePreferenceDocument'];
export type NoticePreferenceRequest = components['schemas']['NoticePreferenceRequest'];
export type NoticeSpec = components['schemas']['NoticeSpec'];
export type NoticeStatus = components['schemas']['NoticeStatus'];
export type OfferDocument = components['schemas']['OfferDocument'];
export type OfferRequest = components['schemas']['OfferRequest'];
export type OfferSpec = components['schemas']['OfferSpec'];
export type OfferStatus = components['schemas']['OfferStatus'];
export type Opened = components['schemas']['Opened'];
export type Opening = components['schemas']['Opening'];
export type PaymentSpec = components['schemas']['PaymentSpec'];
export type Permission = components['schemas']['Permission'];
export type Place = components['schemas']['Place'];
export type PlaceStatus = components['schemas']['PlaceStatus'];
export type PodDocument = components['schemas']['PodDocument'];
export type PodRequest = components['schemas']['PodRequest'];
export type PodSpec = components['schemas']['PodSpec'];
export type PodStatus = components['schemas']['PodStatus'];
export type PolicyDocument = components['schemas']['PolicyDocument'];
export type PolicyRequest = components['schemas']['PolicyRequest'];
export type PolicyStatus = components['schemas']['PolicyStatus'];
export type PoolOffer = components['schemas']['PoolOffer'];
export type PreferenceSpec = components['schemas']['PreferenceSpec'];
export type PriceEntry = components['schemas']['PriceEntry'];
export type PriceListDocument = components['schemas']['PriceListDocument'];
export type PriceListSpec = components['schemas']['PriceListSpec'];
export type PriceListStatus = components['schemas']['PriceListStatus'];
export type PriorityClassDocument = components['schemas']['PriorityClassDocument'];
export type PriorityClassRequest = components['schemas']['PriorityClassRequest'];
export type PriorityClassSpec = components['schemas']['PriorityClassSpec'];
export type Problem = components['schemas']['Problem'];
export type Provider = components['schemas']['Provider'];
export type QueueDocument = components['schemas']['QueueDocument'];
export type QueueRequest = components['schemas']['QueueRequest'];
export type QueueSpec = components['schemas']['QueueSpec'];
export type QueueStatus = components['schemas']['QueueStatus'];
export type QuotaDocument = components['schemas']['QuotaDocument'];
export type QuotaRequest = components['schemas']['QuotaRequest'];
export type QuotaSpec = components['schemas']['QuotaSpec'];
export type QuotaStatus = components['schemas']['QuotaStatus'];
export type QuoteDocument = components['schemas']['QuoteDocument'];
export type QuoteRequest = components['schemas']['QuoteRequest'];
export type QuoteSpec = components['schemas']['QuoteSpec'];
export type QuoteStatus = components['schemas']['QuoteStatus'];
export type RedemptionDocument = components['schemas']['RedemptionDocument'];
export type RedemptionRequest = components['schemas']['RedemptionRequest'];
export type RedemptionSpec = components['schemas']['RedemptionSpec'];
export type RedemptionStatus = components['schemas']['RedemptionStatus'];
export type RegionDocument = components['schemas']['RegionDocument'];
export type RegionSpec = components['schemas']['RegionSpec'];
export type Replica = components['schemas']['Replica'];
export type Revision = components['schemas']['Revision'];
export type RoleAssignmentDocument = components['schemas']['RoleAssignmentDocument'];
export type RoleAssignmentRequest = components['schemas']['RoleAssignmentRequest'];
export type RoleAssignmentSpec = components['schemas']['RoleAssignmentSpec'];
export type RoleDocument = components['schemas']['RoleDocument'];
export type RoleRequest = components['schemas']['RoleRequest'];
export type RoleSpec = components['schemas']['RoleSpec'];
export type RouteDocument = components['schemas']['RouteDocument'];
export type RouteRequest = components['schemas']['RouteRequest'];
export type RouteSpec = components['schemas']['RouteSpec'];
export type RouteStatus = components['schemas']['RouteStatus'];
export type ScheduleDocument = components['schemas']['ScheduleDocument'];
export type ScheduleRequest = components['schemas']['ScheduleRequest'];
export type ScheduleSpec = components['schemas']['ScheduleSpec'];
export type ScheduleStatus = components['schemas']['ScheduleStatus'];
export type Scope = components['schemas']['Scope'];
export type Scratch = components['schemas']['Scratch'];
export type SecretDocument = components['schemas']['SecretDocument'];
export type SecretRef = components['schemas']['SecretRef'];
export type SecretRequest = components['schemas']['SecretRequest'];
export type SecretSpec = components['schemas']['SecretSpec'];
export type SecretStatus = components['schemas']['SecretStatus'];
export type SellerDocument = components['schemas']['SellerDocument'];
export type SellerRequest = components['schemas']['SellerRequest'];
export type SellerSpec = components['schemas']['SellerSpec'];
export type ServiceAccountDocument = components['schemas']['ServiceAccountDocument'];
export type ServiceAccountRequest = components['schemas']['ServiceAccountRequest'];
export type ServiceAccountSpec = components['schemas']['ServiceAccountSpec'];
export type ServiceDocument = components['schemas']['ServiceDocument'];
export type ServiceRequest = components['schemas']['ServiceRequest'];
export type ServiceSpec = components['schemas']['ServiceSpec'];
export type ServiceStatus = components['schemas']['ServiceStatus'];
export type SetPassword = components['schemas']['SetPassword'];
export type Share = components['schemas']['Share'];
export type ShareStatus = components['schemas']['ShareStatus'];
export type SiteDocument = components['schemas']['SiteDocument'];
export type SiteRequest = components['schemas']['SiteRequest'];
export type SiteSpec = components['schemas']['SiteSpec'];
export type SiteStatus = components['schemas']['SiteStatus'];
export type SnapshotDocument = components['schemas']['SnapshotDocument'];
export type SnapshotRequest = components['schemas']['SnapshotRequest'];
export type SnapshotSpec = components['schemas']['SnapshotSpec'];
export type SnapshotStatus = components['schemas']['SnapshotStatus'];
export type State = components['schemas']['State'];
export type Status = components['schemas']['Status'];
export type Task = components['schemas']['Task'];
export type TenantDocument = components['schemas']['TenantDocument'];
export type TenantPolicySpec = components['schemas']['TenantPolicySpec'];
export type TenantRequest = components['schemas']['TenantRequest'];
export type TenantSpec = components['schemas']['TenantSpec'];
export type TokenDocument = components['schemas']['TokenDocument'];
export type TokenRequest = components['schemas']['TokenRequest'];
export type TokenSpec = components['schemas']['TokenSpec'];
export type TokenStatus = components['schemas']['TokenStatus'];
export type Trust = components['schemas']['Trust'];
export type UseStatus = components['schemas']['UseStatus'];
export type UserDocument = components['schemas']['UserDocument'];
export type UserRequest = components['schemas']['UserRequest'];
export type UserSpec = components['schemas']['UserSpec'];
export type UserStatus = components['schemas']['UserStatus'];
export type VatRate = components['schemas']['VatRate'];
export type Version = components['schemas']['Version'];
export type VolumeDocument = components['schemas']['VolumeDocument'];
export type VolumeRequest = components['schemas']['VolumeRequest'];
export type VolumeSpec = components['schemas']['VolumeSpec'];
export type VolumeStatus = components['schemas']['VolumeStatus'];
export type VolumeUse = components['schemas']['VolumeUse'];
export type VoucherDocument = components['schemas']['VoucherDocument'];
export type VoucherRequest = components['schemas']['VoucherRequest'];
export type VoucherSpec = components['schemas']['VoucherSpec'];
export type VoucherStatus = components['schemas']['VoucherStatus'];
export type Waits = components['schemas']['Waits'];
export type WebhookDocument = components['schemas']['WebhookDocument'];
export type WebhookRequest = components['schemas']['WebhookRequest'];
export type WebhookSpec = components['schemas']['WebhookSpec'];
export type WebhookStatus = components['schemas']['WebhookStatus'];
export type WitnessDocument = components['schemas']['WitnessDocument'];
export type WitnessRequest = components['schemas']['WitnessRequest'];
export type WitnessSpec = components['schemas']['WitnessSpec'];
export type WitnessStatus = components['schemas']['WitnessStatus'];
export type WitnessedLogDocument = components['schemas']['WitnessedLogDocument'];
export type WitnessedLogRequest = components['schemas']['WitnessedLogRequest'];
export type WitnessedLogSpec = components['schemas']['WitnessedLogSpec'];
export type WitnessedLogStatus = components['schemas']['WitnessedLogStatus'];
export type WorkspaceDocument = components['schemas']['WorkspaceDocument'];
export type WorkspaceRequest = components['schemas']['WorkspaceRequest'];
export type WorkspaceStatus = components['schemas']['WorkspaceStatus'];
export type WellknownAnswer = components['schemas']['WellknownAnswer'];
export type FollowLinkAnswer = components['schemas']['FollowLinkAnswer'];
export type BeginFactorAnswer = components['schemas']['BeginFactorAnswer'];
export type ListSessionsAnswer = components['schemas']['ListSessionsAnswer'];
export type OpenSessionAnswer = components['schemas']['OpenSessionAnswer'];
export type WaysInAnswer = components['schemas']['WaysInAnswer'];
export type IssueTicketAnswer = components['schemas']['IssueTicketAnswer'];
export type ExchangeTokenAnswer = components['schemas']['ExchangeTokenAnswer'];
export type WhoamiAnswer = components['schemas']['WhoamiAnswer'];
export type ListAlertsAnswer = components['schemas']['ListAlertsAnswer'];
export type GetAlertAnswer = components['schemas']['GetAlertAnswer'];
export type StatusAnswer = components['schemas']['StatusAnswer'];
export type ListTenantAlertsAnswer = components['schemas']['ListTenantAlertsAnswer'];
export type GetTenantAlertAnswer = components['schemas']['GetTenantAlertAnswer'];
export type UsageAnswer = components['schemas']['UsageAnswer'];
export type SearchLogsAnswer = components['schemas']['SearchLogsAnswer'];
export type TopAnswer = components['schemas']['TopAnswer'];
export type TopHostsAnswer = components['schemas']['TopHostsAnswer'];
export type UtilisationAnswer = components['schemas']['UtilisationAnswer'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
